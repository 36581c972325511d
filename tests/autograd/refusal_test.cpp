// What operations refuse, and that no public operation is without a test.
#include <xgrad/autograd/ops.h>

#include <cmath>
#include <fstream>
#include <regex>
#include <sstream>

#include "error.h"
#include "operation_tables.h"

using namespace xgrad;

TEST_CASE("a shape that does not fit is refused with the operation and the shapes") {
  const Variable a(ones({2, 3})), b(ones({2, 4})), c(ones({3}));
  struct Case {
    std::function<void()> action;
    std::initializer_list<std::string> pieces;
  };
  const Case cases[] = {
      {[&] { a + b; }, {"[add]", "(2, 3)", "(2, 4)"}},
      {[&] { a - b; }, {"[subtract]", "(2, 3)", "(2, 4)"}},
      {[&] { a* b; }, {"[multiply]", "(2, 3)", "(2, 4)"}},
      {[&] { a / b; }, {"[divide]", "(2, 3)", "(2, 4)"}},
      {[&] { pow(a, b); }, {"[pow]", "(2, 3)", "(2, 4)"}},
      {[&] { maximum(a, b); }, {"[maximum]", "(2, 3)", "(2, 4)"}},
      {[&] { minimum(a, b); }, {"[minimum]", "(2, 3)", "(2, 4)"}},
      {[&] { where(b, a, a); }, {"[where]", "(2, 3)", "(2, 4)"}},
      {[&] { sum(a, 2); }, {"[sum]", "axis 2", "(2, 3)"}},
      {[&] { mean(a, -3); }, {"[mean]", "axis -3", "(2, 3)"}},
      {[&] {
         max(a, {0, 0});
       },
       {"[max]", "axis 0", "twice"}},
      {[&] { min(a, 5); }, {"[min]", "axis 5"}},
      {[&] { variance(a, 5); }, {"[variance]", "axis 5"}},
      {[&] { logsumexp(a, 5); }, {"[logsumexp]", "axis 5"}},
      {[&] { softmax(a, 5); }, {"[softmax]", "axis 5"}},
      {[&] { log_softmax(a, 2); }, {"softmax]", "axis 2", "(2, 3)"}},
      {[&] {
         sum_to(a, {2, 2});
       },
       {"[sum_to]", "(2, 2)", "(2, 3)"}},
      {[&] { matmul(a, b); }, {"[matmul]", "(2, 3)", "(2, 4)", "3 and 2"}},
      {[&] { matmul(a, c); }, {"[matmul]", "(3,)", "two dimensions"}},
      {[&] { linear(a, b); }, {"[linear]", "(2, 3)", "(2, 4)", "expected 4 features"}},
      {[&] { linear(a, c); }, {"[linear]", "(out, in)", "(3,)"}},
      {[&] { linear(a, a, c); }, {"[linear]", "bias (3,)", "(2, 3)", "2 elements"}},
      {[&] { reshape(a, {4}); }, {"[reshape]", "(2, 3)", "(4,)", "6", "4"}},
      {[&] {
         transpose(a, {0, 0});
       },
       {"[transpose]", "axis 0", "twice"}},
      {[&] { transpose(a, {0}); }, {"[transpose]", "2 axes", "(2, 3)"}},
      {[&] {
         broadcast_to(a, {3, 3});
       },
       {"[broadcast_to]", "(2, 3)", "(3, 3)"}},
      {[&] { broadcast_to(a, {3}); }, {"[broadcast_to]", "(2, 3)", "(3,)"}},
      {[&] { slice(a, 1, 1, 4); }, {"[slice]", "[1, 4)", "axis 1", "(2, 3)"}},
      {[&] { slice(a, 1, 2, 1); }, {"[slice]", "[2, 1)"}},
      {[&] { slice(a, 2, 0, 1); }, {"[slice]", "axis 2"}},
      {[&] {
         unslice(a, {2, 4}, 1, 2);
       },
       {"[unslice]", "(2, 3)", "(2, 4)", "at 2"}},
      {[&] {
         split(a, {1, 1}, 1);
       },
       {"[split]", "2 sizes", "axis 1", "(2, 3)"}},
      {[&] {
         split(a, {1, 1, std::size_t(-1)});
       },
       {"[split]", "3 sizes"}},
      {[&] { unbind(a, 2); }, {"[unbind]", "axis 2", "(2, 3)"}},
      {[&] { norm(a, 5); }, {"[norm]", "axis 5"}},
      {[&] {
         concatenate({a, b}, 0);
       },
       {"[concatenate]", "input 1", "(2, 4)", "(2, 3)"}},
      {[&] {
         concatenate({a, c}, 0);
       },
       {"[concatenate]", "input 1", "(3,)"}},
      {[&] {
         stack({a, b});
       },
       {"[stack]", "input 1", "(2, 4)", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({1, 2}));
       },
       {"[gather]", "(2,)", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({{0, 0, 0, 0}}));
       },
       {"[gather]", "(1, 4)", "(2, 3)"}},
      {[&] {
         scatter_add(a, 0, IndexTensor({{0, 0, 0}}), c);
       },
       {"[scatter_add]", "(3,)", "(1, 3)"}},
      {[&] { take_rows(Variable(zeros({})), IndexTensor({0})); }, {"[take_rows]", "()"}},
      {[&] {
         add_rows(a, IndexTensor({0, 1, 0}), 3);
       },
       {"[add_rows]", "(2, 3)", "(3,)"}},
      {[&] {
         normalize(a, {2, 3, 4}, 0);
       },
       {"[normalize]", "(2, 3)", "(2, 3, 4)"}},
      {[&] {
         normalize(a, {1, 2, 3}, 0, c, c);
       },
       {"[normalize]", "(2,)", "(1, 2, 3)", "got (3,)"}},
      {[&] { batch_norm(a, c, b, 0); }, {"[batch_norm]", "(2, 3)", "3 numbers", "got (2, 3) and (2, 4)"}},
      {[&] { batch_norm(c, c, c, 0); }, {"[batch_norm]", "(3,)"}},
      {[&] { a.item(); }, {"[item]", "(2, 3)"}},
  };
  for (const Case& refused : cases) check_error<ShapeError>(refused.action, refused.pieces);
  const Case values[] = {
      {[&] { clamp(a, 2, 1); }, {"[clamp]", "2 and 1"}},
      {[&] { clamp(a, 0, std::nan("")); }, {"[clamp]", "nan"}},
      {[&] { hardtanh(a, 1, 1); }, {"[hardtanh]", "1 and 1"}},
      {[&] { variance(a, 0, false, 2); }, {"[variance]", "more than 2", "got 2"}},
      {[&] { mean(Variable(zeros({0}))); }, {"[mean]", "(0,)"}},
      {[&] { max(Variable(zeros({0}))); }, {"[max]", "(0,)"}},
      {[&] {
         min(Variable(zeros({2, 0})), 1);
       },
       {"[min]", "(2, 0)"}},
      {[&] { concatenate({}); }, {"[concatenate]"}},
      {[&] { stack({}); }, {"[stack]"}},
      {[&] {
         gather(a, 1, IndexTensor({{0, 3}}));
       },
       {"[gather]", "position 3", "axis 1", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({{0, -1}}));
       },
       {"[gather]", "position -1"}},
      {[&] {
         take_rows(a, IndexTensor({0, 2}));
       },
       {"[take_rows]", "row 2", "2"}},
      {[&] { take_rows(a, IndexTensor({-1})); }, {"[take_rows]", "row -1"}},
      {[&] {
         add_rows(a, IndexTensor({0, 4}), 4);
       },
       {"[add_rows]", "row 4", "4"}},
  };
  for (const Case& refused : values) check_error<ValueError>(refused.action, refused.pieces);
}

TEST_CASE("every public operation has a row in a table") {
  const std::regex declaration(R"((?:^|\n)Variable (operator.|\w+)\()");
  std::size_t found = 0;
  for (const char* header : {"arithmetic", "elementwise", "activations", "reductions", "matmul", "convolution",
                             "pooling", "normalization", "shapes", "indexing", "einsum"}) {
    std::ifstream file(std::string("autograd/") + header + ".h");
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator match(source.begin(), source.end(), declaration), end; match != end; ++match, ++found)
      CHECK_MESSAGE(rows().count((*match)[1]) == 1, (*match)[1].str(), " has no row");
  }
  CHECK(found >= 50);
}

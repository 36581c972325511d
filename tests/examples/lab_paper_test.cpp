#include <doctest/doctest.h>

#include "paper/paper.h"

using namespace lab;

TEST_CASE("Budgets are comparable within a factor of ten") {
  CHECK(comparable(45, 45));
  CHECK(comparable(4.5, 45));
  CHECK(comparable(450, 45));
  CHECK_FALSE(comparable(4.4, 45));
  CHECK_FALSE(comparable(451, 45));
}

TEST_CASE("What is not comparable neither agrees nor disagrees") {
  CHECK(on_budget("agrees: lower by 12 %", true) == "agrees: lower by 12 %");
  CHECK(on_budget("agrees: lower by 12 %", false) == "not comparable; on our budget lower by 12 %, as in the paper");
  CHECK(on_budget("disagrees: higher by 3 %", false) ==
        "not comparable; on our budget higher by 3 %, unlike the paper");
  CHECK(on_budget("undecided: lower by 2 %, and the seeds overlap", false) ==
        "not comparable; on our budget undecided: lower by 2 %, and the seeds overlap");
}

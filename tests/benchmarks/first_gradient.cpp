// From the start of the process to the first gradient: time the whole process.
#include <xgrad/autograd/ops.h>

int main() {
  const xgrad::Variable w(xgrad::ones({2, 2}), true);
  sum(matmul(w, w)).backward();
  return w.grad().data()[0] == 4 ? 0 : 1;
}

// What training makes small. Names, defaults and values are PyTorch's; losses are added up in double.
#pragma once

#include <xgrad/autograd/variable.h>

#include <optional>

namespace xgrad::nn {

/// The mean over all elements (over the samples, for class targets), the sum, or a loss each.
enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< in [0, 1]: this share of each target is spread evenly over all classes
  Reduction reduction = Reduction::mean;
  std::vector<double> class_weights = {};         ///< one for each class, at least 0; or none
  std::optional<std::int64_t> ignore_index = {};  ///< samples with this target, in [0, C) or not, do not count
};

/// -log softmax(logits)[target] for logits (N, C) and targets (N,), as one fused operation; also for logits (N, C, d,
/// …) and targets (N, d, …), such as pixels or the steps of sequences. With label smoothing s (Szegedy et al. 2016) the
/// target distribution q is (1 - s) onehot + s / C. With class weights w it is -sum of w q log softmax(logits), and the
/// mean divides by the sum of the weights of all targets.
/// ShapeError where counts differ; ValueError for a target outside [0, C), smoothing outside [0, 1], weights that are
/// negative, not finite or another number than C, for N = 0, and for a mean of samples that do not count or weigh.
Variable cross_entropy(const Variable& logits, const IndexTensor& targets, CrossEntropyOptions options = {});

/// The same with a distribution (N, C) as the target of each sample, such as a teacher's or that of mixed samples: -sum
/// of q log softmax(logits). Its rows are taken as they are. ShapeError unless both are of one shape (N, C); ValueError
/// for N = 0.
Variable soft_cross_entropy(const Variable& logits, const Variable& target, Reduction reduction = Reduction::mean);

/// -x[target] for log probabilities x (N, C), such as log_softmax's. Errors are cross_entropy's.
Variable nll_loss(const Variable& log_probabilities, const IndexTensor& targets, Reduction reduction = Reduction::mean);

// Losses on d = x - target. ShapeError unless the shapes are equal: nothing broadcasts. ValueError for no elements.

Variable mse_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);  ///< d^2
Variable l1_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);   ///< |d|

struct HuberLossOptions {
  double delta = 1;
  Reduction reduction = Reduction::mean;
};
/// d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) beyond: Huber 1964. ValueError unless delta is above 0 and
/// finite.
Variable huber_loss(const Variable& x, const Variable& target, HuberLossOptions options = {});

struct SmoothL1LossOptions {
  double beta = 1;
  Reduction reduction = Reduction::mean;
};
/// huber_loss with delta = beta, divided by beta: a slope of 1 beyond (Girshick 2015). For beta = 0 it is l1_loss.
/// ValueError unless beta is at least 0 and finite.
Variable smooth_l1_loss(const Variable& x, const Variable& target, SmoothL1LossOptions options = {});

/// -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)) for logits x and targets t in [0, 1], without overflow.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& target,
                                          Reduction reduction = Reduction::mean);

/// Focal loss (Lin et al. 2017) for logits x and targets t in [0, 1]: the binary cross entropy times (1 - p)^gamma,
/// where p is the probability of the target, and times alpha for t = 1 and 1 - alpha for t = 0. ValueError unless gamma
/// is at least 0 and alpha in [0, 1].
struct FocalLossOptions {
  double gamma = 2, alpha = 0.25;
  Reduction reduction = Reduction::mean;
};
Variable focal_loss(const Variable& x, const Variable& target, FocalLossOptions options = {});

/// q (log q - log_p), Kullback & Leibler 1951, for log probabilities and a distribution q; 0 where q is. Between
/// distributions in rows, `sum` divided by their number is what the formula means; `mean` divides by all elements.
Variable kl_div_loss(const Variable& log_p, const Variable& q, Reduction reduction = Reduction::mean);

/// (log v + (x - target)^2 / v) / 2, of a normal distribution with the mean x and the variance v of the same shape (Nix
/// & Weigend 1994), without its constant. v is taken to be at least eps, and has no gradient below.
struct GaussianNLLLossOptions {
  double eps = 1e-6;  ///< above 0
  Reduction reduction = Reduction::mean;
};
Variable gaussian_nll_loss(const Variable& x, const Variable& target, const Variable& variance,
                           GaussianNLLLossOptions options = {});

/// exp(x) - target x, of a Poisson distribution with the rate exp(x), without its constant.
Variable poisson_nll_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);

/// max(0, 1 - target x) for scores x and targets -1 and 1 (Cortes & Vapnik 1995).
Variable hinge_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);

// On pairs and triples of vectors (N, D): a loss for each. ShapeError unless they are of one such shape; ValueError for
// N = 0 and a margin that is not finite.

struct MarginLossOptions {
  double margin;
  Reduction reduction = Reduction::mean;
};
/// For pairs that are alike, target 1, 1 - cos(a, b); for others, target -1, max(0, cos(a, b) - margin). The cosine
/// with a vector of length 0 is 0. ValueError for other targets (N,).
Variable cosine_embedding_loss(const Variable& a, const Variable& b, const IndexTensor& target,
                               MarginLossOptions options = {.margin = 0});
/// max(0, |anchor - positive| - |anchor - negative| + margin), with Euclidean distances (Schroff, Kalenichenko &
/// Philbin 2015 with squared ones).
Variable triplet_margin_loss(const Variable& anchor, const Variable& positive, const Variable& negative,
                             MarginLossOptions options = {.margin = 1});

}  // namespace xgrad::nn

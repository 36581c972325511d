// Sums of products, in Einstein's notation.
#pragma once

#include <xgrad/autograd/variable.h>

#include <string_view>

namespace xgrad {

/// Products of the inputs' elements, summed over each letter that the result does not have:
///
///   einsum("ij,jk->ik", {a, b})        a matrix product
///   einsum("bqd,bkd->bqk", {q, k})     the scores of attention
///   einsum("ii->i", {a})               a diagonal
///   einsum("i,j->ij", {u, v})          an outer product
///
/// A letter, a-z or A-Z, is a dimension. Without "->" the result has each letter that occurs once, in alphabetical
/// order, as in NumPy. Inputs are taken from left to right, each pair as a batch of matrix products. ValueError for a
/// text that is none of these; ShapeError where a letter has two sizes, or an input another number of dimensions.
Variable einsum(std::string_view subscripts, const std::vector<Variable>& inputs);

}  // namespace xgrad

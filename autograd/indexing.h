// Reading and adding at computed positions along an axis.
#pragma once

#include <xgrad/autograd/variable.h>

#include <cstddef>

namespace xgrad {

/// For axis 0 of three: result[i][j][k] = x[index[i][j][k]][j][k]. The index has x's rank, and no dimension other than
/// the axis larger than x's. ShapeError where shapes do not fit, ValueError for a position outside the axis.
Variable gather(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index);

/// The transpose of gather, added to x: x with values[i][j][k] added at [index[i][j][k]][j][k]. Positions may repeat.
/// `values` has the shape of the index.
Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index, const Variable& values);

struct TakeRowsOptions {
  bool sparse_grad = false;  ///< backward() leaves the rows of a leaf's gradient as rows: see table.h
  /// From which the index was read: the graph has it as a second input, without a gradient.
  const Variable* positions = nullptr;
};

/// result[i…] = x[index[i…]] for an index of any shape: whole rows of x (count, …). ValueError for a row outside
/// [0, count).
Variable take_rows(const Variable& x, const IndexTensor& index, TakeRowsOptions options = {});

/// The transpose of take_rows: `count` rows of zeros with rows[i…] added to row index[i…]. Rows may repeat.
Variable add_rows(const Variable& rows, const IndexTensor& index, std::size_t count);

}  // namespace xgrad

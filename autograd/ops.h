// Every differentiable operation.
#pragma once

#include <xgrad/autograd/activations.h>
#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/convolution.h>
#include <xgrad/autograd/einsum.h>
#include <xgrad/autograd/elementwise.h>
#include <xgrad/autograd/indexing.h>
#include <xgrad/autograd/matmul.h>
#include <xgrad/autograd/normalization.h>
#include <xgrad/autograd/pooling.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/selection.h>
#include <xgrad/autograd/shapes.h>

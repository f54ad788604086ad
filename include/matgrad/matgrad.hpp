#pragma once
/// \file Everything of matgrad: write f(X), derive its gradient, evaluate a batch.

#include "matgrad/build.hpp"
#include "matgrad/calculus.hpp"
#include "matgrad/catalogue.hpp"
#include "matgrad/check.hpp"
#include "matgrad/device.hpp"
#include "matgrad/error.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/function.hpp"
#include "matgrad/linearize.hpp"
#include "matgrad/plan.hpp"
#include "matgrad/status.hpp"

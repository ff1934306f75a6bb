#ifndef SLUICE_BASE_STATUS_MACROS_H_
#define SLUICE_BASE_STATUS_MACROS_H_

// SLUICE_RETURN_IF_ERROR(expr): returns the status of `expr` from the function
// unless it is OK. SLUICE_ASSIGN_OR_RETURN(lhs, expr): assigns the value of an
// absl::StatusOr, or returns its status.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::string path, AbsolutePath("~/st"));
//   SLUICE_RETURN_IF_ERROR(Check(path));
//
// Any thread. The value is moved out of `expr`, which is evaluated once. Costs
// a branch.

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Names are drawn from __COUNTER__, so that a lambda which uses these may stand
// within one of them.
#define SLUICE_MACRO_CONCAT_INNER_(a, b) a##b
#define SLUICE_MACRO_CONCAT_(a, b) SLUICE_MACRO_CONCAT_INNER_(a, b)

#define SLUICE_RETURN_IF_ERROR(expr)                                         \
  SLUICE_RETURN_IF_ERROR_(SLUICE_MACRO_CONCAT_(sluice_status_, __COUNTER__), \
                          expr)
#define SLUICE_RETURN_IF_ERROR_(status, expr)                      \
  do {                                                             \
    if (absl::Status status = (expr); !status.ok()) return status; \
  } while (false)

#define SLUICE_ASSIGN_OR_RETURN(lhs, expr)                                     \
  SLUICE_ASSIGN_OR_RETURN_(SLUICE_MACRO_CONCAT_(sluice_or_, __COUNTER__), lhs, \
                           expr)
#define SLUICE_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return tmp.status();            \
  lhs = *std::move(tmp)

#endif  // SLUICE_BASE_STATUS_MACROS_H_

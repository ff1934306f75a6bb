#include "sluice/service/http/message/router.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/message/problem.h"

namespace sluice::http {
namespace {

constexpr absl::string_view kMethods[] = {"DELETE", "GET", "PATCH", "POST",
                                          "PUT"};

bool IsName(absl::string_view segment) {
  return absl::StartsWith(segment, "{") && absl::EndsWith(segment, "}");
}

std::vector<absl::string_view> SegmentsOf(absl::string_view pattern) {
  pattern.remove_prefix(1);
  if (pattern.empty()) return {};
  return absl::StrSplit(pattern, '/');
}

// A pattern whose order is that in which patterns are tried: names, which are
// all the same, behind what is written out.
std::string ShapeOf(absl::string_view pattern) {
  std::string shape;
  for (const absl::string_view segment : SegmentsOf(pattern)) {
    absl::StrAppend(&shape, "/", IsName(segment) ? "~" : segment);
  }
  return shape;
}

bool IsSegment(absl::string_view segment) {
  if (IsName(segment)) segment = segment.substr(1, segment.size() - 2);
  return !segment.empty() &&
         std::all_of(segment.begin(), segment.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '_' || c == '-' || c == '.';
         });
}

absl::Status Check(const Route& route) {
  const auto wrong = [&](absl::string_view what) {
    return InvalidArgument(
        absl::StrCat("route ", route.method, " ", route.pattern, ": ", what));
  };
  if (std::find(std::begin(kMethods), std::end(kMethods), route.method) ==
      std::end(kMethods)) {
    return wrong("its method is not one of ours");
  }
  if (!absl::StartsWith(route.pattern, "/")) {
    return wrong("its pattern does not begin with '/'");
  }
  for (const absl::string_view segment : SegmentsOf(route.pattern)) {
    if (!IsSegment(segment)) return wrong("its pattern has a bad segment");
  }
  if (route.operation.empty() || route.handler == nullptr) {
    return wrong("it has no operation or no handler");
  }
  if (route.method == "GET" && route.changes_state) {
    return wrong("a GET must not change state");
  }
  return absl::OkStatus();
}

bool IsKnownMethod(absl::string_view method) {
  return method == "HEAD" || method == "OPTIONS" ||
         std::find(std::begin(kMethods), std::end(kMethods), method) !=
             std::end(kMethods);
}

std::string AllowOf(const std::set<std::string>& methods) {
  std::set<std::string> all = methods;
  all.insert("OPTIONS");
  if (all.count("GET") > 0) all.insert("HEAD");
  return absl::StrJoin(all, ", ");
}

}  // namespace

Router::Router(std::vector<Route> routes, Guard guard)
    : routes_(std::move(routes)), guard_(std::move(guard)) {}

absl::StatusOr<Router> Router::Create(std::vector<Route> routes, Guard guard) {
  std::set<std::string> operations;
  std::set<std::string> places;
  for (const Route& route : routes) {
    SLUICE_RETURN_IF_ERROR(Check(route));
    if (!operations.insert(route.operation).second) {
      return InvalidArgument(
          absl::StrCat("two routes are called ", route.operation));
    }
    if (!places.insert(absl::StrCat(route.method, " ", ShapeOf(route.pattern)))
             .second) {
      return InvalidArgument(
          absl::StrCat("two routes are ", route.method, " ", route.pattern));
    }
  }
  std::stable_sort(routes.begin(), routes.end(),
                   [](const Route& a, const Route& b) {
                     return ShapeOf(a.pattern) < ShapeOf(b.pattern);
                   });
  return Router(std::move(routes), std::move(guard));
}

bool Router::Matches(const Route& route, const Request& request) const {
  const std::vector<absl::string_view> segments = SegmentsOf(route.pattern);
  if (segments.size() != request.path.size()) return false;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (IsName(segments[i]) ? request.path[i].empty()
                            : request.path[i] != segments[i]) {
      return false;
    }
  }
  return true;
}

Response Router::Run(const Route& route, Request& request) const {
  request.route = &route;
  const std::vector<absl::string_view> segments = SegmentsOf(route.pattern);
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!IsName(segments[i])) continue;
    request.params[std::string(segments[i].substr(1, segments[i].size() - 2))] =
        request.path[i];
  }
  if (guard_ != nullptr) {
    if (absl::optional<Response> refused = guard_(request)) {
      return *std::move(refused);
    }
  }
  return route.handler(request);
}

Response Router::Handle(Request& request) const {
  if (!IsKnownMethod(request.method)) {
    return ProblemResponse(501, kMethodNotAllowed,
                           "the method is not one that is known here");
  }
  std::set<std::string> methods;
  std::string shape;
  std::string pattern;
  for (const Route& route : routes_) {
    if (!methods.empty() && ShapeOf(route.pattern) != shape) break;
    if (!Matches(route, request)) continue;
    shape = ShapeOf(route.pattern);
    pattern = route.pattern;
    methods.insert(route.method);
    if (route.method == request.method ||
        (route.method == "GET" && request.method == "HEAD")) {
      Response response = Run(route, request);
      response.route = route.pattern;
      return response;
    }
  }
  if (methods.empty()) {
    return ProblemResponse(404, kNotFound, "there is nothing at this path");
  }
  Response response;
  if (request.method == "OPTIONS") {
    response.status = 204;
  } else {
    response = ProblemResponse(
        405, kMethodNotAllowed,
        absl::StrCat(request.method, " is not allowed on this path"));
  }
  response.headers.Set("Allow", AllowOf(methods));
  response.route = pattern;
  return response;
}

}  // namespace sluice::http

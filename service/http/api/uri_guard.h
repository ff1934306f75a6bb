#ifndef SLUICE_SERVICE_HTTP_API_URI_GUARD_H_
#define SLUICE_SERVICE_HTTP_API_URI_GUARD_H_

// The API is no shell: which URIs a request may name. See ApiOptions.
//
// Immutable; any thread.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/service/http/api/access.h"

namespace sluice::service {

class UriPatterns {
 public:
  // invalid_argument where one is no URI. `what` is said in errors.
  static absl::StatusOr<UriPatterns> Parse(
      const std::vector<std::string>& patterns, absl::string_view what);

  // Whether `uri` has the kind and the options of one of them, each with a
  // value that fits. '*' stands for any text that refers to no secret and has
  // no ".." in it.
  bool Allow(absl::string_view uri) const;

 private:
  std::vector<Uri> patterns_;
};

// "env:", "file:", "cmd:", "exec:" and what follows.
bool IsReference(absl::string_view value);
// Whether an option of `uri` is a reference; false for what is no URI.
bool HasReference(absl::string_view uri);

// Whether all that `facts` names lies beneath `root`, links followed, and it
// names something. `root` empty: nothing does.
bool IsBeneathRoot(const UriFacts& facts, const std::string& root);

// forbidden, with what would allow it.
absl::Status Forbidden(absl::string_view what, absl::string_view hint);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_URI_GUARD_H_

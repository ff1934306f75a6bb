#ifndef SLUICE_CLI_REMOTE_API_CLIENT_H_
#define SLUICE_CLI_REMOTE_API_CLIENT_H_

// Calls of the API of a `sluice serve` (docs/api.md): what is asked goes out as
// JSON, problems come back as the errors that the command itself would have,
// with word and hint, so that exit statuses are the same.
//
// Example:
//
//   ApiClient api(address, token, {});
//   SLUICE_ASSIGN_OR_RETURN(const ApiAnswer answer,
//                           api.Post(context, "/plans/nightly/run", body));
//   answer.body["jobs"];
//
// What asks again does no harm: reading, and what makes a job, which bears an
// Idempotency-Key. It is tried again where no answer came, or the server was
// busy; all else once. Errors beside the server's own: server_unreachable,
// server_untrusted, server_answer_invalid, the context's.
//
// Any thread. Nothing is kept between calls.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/cli/remote/model_reader.h"
#include "sluice/cli/remote/server_address.h"
#include "sluice/cli/remote/sse_reader.h"
#include "sluice/executor/context.h"
#include "sluice/service/http/client/http_client.h"
#include "sluice/service/json/json.h"

namespace sluice::cli {

struct ApiClientOptions {
  std::string ca_file;
  absl::Duration connect_timeout = absl::Seconds(10);
  // Some answers wait a minute for a repo.
  absl::Duration timeout = absl::Seconds(75);
  int tries = 4;
  absl::Duration first_wait = absl::Milliseconds(250);  // twice that next
  // None is begun later than this after the first.
  absl::Duration patience = absl::Seconds(30);
  Clock* clock = Clock::Real();
};

struct ApiAnswer {
  int status = 0;
  AnswerJson body;  // an object; null where there is none
};

// Of a path or a query.
std::string UrlEscape(absl::string_view text);
// "/jobs?limit=5&kind=backup"; what is empty is left out.
std::string WithQuery(
    absl::string_view path,
    const std::vector<std::pair<std::string, std::string>>& query);

class ApiClient {
 public:
  ApiClient(ServerAddress server, std::string token, ApiClientOptions options);

  const ServerAddress& server() const { return server_; }
  const ApiClientOptions& options() const { return options_; }

  // Paths begin below "/api/v1".
  absl::StatusOr<ApiAnswer> Get(const Context& context,
                                const std::string& path) const;
  // That makes a job.
  absl::StatusOr<ApiAnswer> Queue(const Context& context,
                                  const std::string& path,
                                  const service::Json& body) const;
  // All else. `if_match`: the revision that is changed; 0: any.
  absl::StatusOr<ApiAnswer> Change(const Context& context,
                                   absl::string_view method,
                                   const std::string& path,
                                   const service::Json& body,
                                   uint64_t if_match = 0) const;

  // The list's pages, until `most` items were read.
  template <typename Item>
  absl::StatusOr<std::vector<Item>> List(
      const Context& context, const std::string& path, const std::string& name,
      absl::StatusOr<Item> (*read)(const AnswerJson&),
      size_t most = std::string::npos) const;

  // A stream of events until it ends, `longest` is over (which is OK), or
  // `on_event` says otherwise.
  absl::Status Follow(const Context& context, const std::string& path,
                      absl::Duration longest,
                      const SseReader::OnEvent& on_event) const;

 private:
  http::HttpCall CallOf(absl::string_view method, const std::string& path,
                        const std::string& body) const;
  absl::StatusOr<ApiAnswer> SendOnce(const Context& context,
                                     const http::HttpCall& call) const;
  absl::StatusOr<ApiAnswer> SendAgain(const Context& context,
                                      const http::HttpCall& call) const;
  absl::Status OurError(const absl::Status& status) const;
  absl::StatusOr<std::string> NextPage(const ApiAnswer& answer,
                                       const std::string& before) const;

  const ServerAddress server_;
  const std::string token_;
  const ApiClientOptions options_;
};

// False: the context has ended.
bool WaitFor(const Context& context, Clock& clock, absl::Duration duration);

template <typename Item>
absl::StatusOr<std::vector<Item>> ApiClient::List(
    const Context& context, const std::string& path, const std::string& name,
    absl::StatusOr<Item> (*read)(const AnswerJson&), size_t most) const {
  std::vector<Item> all;
  std::string cursor;
  while (true) {
    const absl::StatusOr<ApiAnswer> answer =
        Get(context,
            cursor.empty()
                ? path
                : absl::StrCat(path, absl::StrContains(path, '?') ? "&" : "?",
                               "cursor=", UrlEscape(cursor)));
    if (!answer.ok()) return answer.status();
    absl::StatusOr<std::vector<Item>> page = ReadList(answer->body, name, read);
    if (!page.ok()) return page.status();
    for (Item& item : *page) {
      if (all.size() == most) return all;
      all.push_back(std::move(item));
    }
    const absl::StatusOr<std::string> next = NextPage(*answer, cursor);
    if (!next.ok()) return next.status();
    if (next->empty() || all.size() == most) return all;
    if (page->empty()) return AnswerError("an empty page that is not the last");
    cursor = *next;
  }
}

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_API_CLIENT_H_

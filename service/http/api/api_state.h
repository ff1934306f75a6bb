#ifndef SLUICE_SERVICE_HTTP_API_API_STATE_H_
#define SLUICE_SERVICE_HTTP_API_API_STATE_H_

// What all handlers share, and what they look things up with: nobody is told of
// what he may not see.

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/access.h"
#include "sluice/service/http/api/api.h"
#include "sluice/service/http/api/event_hub.h"
#include "sluice/service/http/api/known_plans.h"
#include "sluice/service/http/api/route.h"
#include "sluice/service/http/api/uri_guard.h"
#include "sluice/service/json/json.h"

namespace sluice::service {

// Of ApiOptions, what may change while the API runs.
struct UriPolicy {
  // invalid_argument: a pattern that is no URI, a root that is not absolute.
  static absl::StatusOr<std::shared_ptr<const UriPolicy>> Of(
      const ApiOptions& options);

  UriPatterns sources;
  UriPatterns repos;
  UriPatterns restores;
  std::string restore_root;
};

struct ApiState {
  ApiState(Catalog* the_catalog, PluginHost* the_host, Service* the_service,
           ApiOptions the_options);

  Catalog* const catalog;
  PluginHost* const host;
  std::atomic<Service*> service;  // may be null
  const ApiOptions options;
  const std::pair<Context, Context::CancelFunction> life;
  Gatekeeper gatekeeper;
  EventHub hub;
  KnownPlans known_plans;
  std::atomic<bool> draining{false};
  const absl::Time started;

  void Report(absl::string_view what, const absl::Status& status) const;
  // Something was asked for.
  void Wake() const;

  // What URIs may be named as of now.
  std::shared_ptr<const UriPolicy> policy() const;
  void SetPolicy(std::shared_ptr<const UriPolicy> policy);

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const UriPolicy> policy_ ABSL_GUARDED_BY(mutex_);
};

// --- lookups; "not found" also for what the caller may not see

absl::StatusOr<CatalogJob> FindJob(ApiState& state, const ApiCall& call,
                                   absl::string_view id);
absl::StatusOr<BackupRecord> FindRecord(ApiState& state, const ApiCall& call,
                                        absl::string_view id);
absl::StatusOr<Plan> FindPlan(ApiState& state, const ApiCall& call,
                              absl::string_view name_or_id);
absl::StatusOr<BackupRepo> FindRepo(ApiState& state, const ApiCall& call,
                                    absl::string_view name_or_id);

// --- lists

struct Page {
  size_t limit = 50;
  std::string after;  // what the last page ended with; empty: this is the first
};
absl::StatusOr<Page> PageOf(const ApiCall& call);
// "next_cursor", and the list's end.
void EndList(absl::string_view last, JsonText& text);
// {NAME: items, "next_cursor": null or text}. `last` is what the next page
// begins after; empty: there is none.
http::Response ListResponse(absl::string_view name, Json items,
                            absl::string_view last);
// The same, as text: each of `rows` by `write(row, text)`.
template <typename Row, typename Write>
http::Response ListResponse(absl::string_view name,
                            const std::vector<Row>& rows, Write write,
                            absl::string_view last) {
  constexpr size_t kRowBytes = 1024;  // about
  JsonText text;
  text.Reserve((rows.size() + 1) * kRowBytes);
  text.BeginObject();
  text.Name(name);
  text.BeginArray();
  for (const Row& row : rows) {
    text.BeginObject();
    write(row, text);
    text.EndObject();
  }
  text.EndArray();
  EndList(last, text);
  return http::JsonTextResponse(200, text.Take());
}
// Of the parameters repo, store, plan; what the caller may not see is no such
// plan.
absl::StatusOr<CatalogFilter> FilterOf(ApiState& state, const ApiCall& call,
                                       const Page& page);

// Drops what is beyond the page of newest-first `rows`; the last id that stays
// where there are more.
template <typename Row, typename IdOf>
std::string CutPage(std::vector<Row>& rows, size_t limit, IdOf id_of) {
  if (rows.size() <= limit) return "";
  rows.resize(limit);
  return std::string(id_of(rows.back()));
}

// --- answers

// 202, "job" and "jobs", and where to look.
http::Response QueuedResponse(const std::vector<QueuedRun>& runs);
http::Response NoContent();

// A span in a body: "90m". Infinite where it is absent.
absl::StatusOr<absl::Duration> SpanOf(const ApiBody& body,
                                      absl::string_view name);

// A context that ends after a minute, for what looks into repos and stores.
std::pair<Context, Context::CancelFunction> Patience(const ApiState& state,
                                                     const ApiCall& call);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_API_STATE_H_

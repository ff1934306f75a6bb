#ifndef SLUICE_PLUGINS_POSTGRES_TOOLS_SESSION_GATEWAY_H_
#define SLUICE_PLUGINS_POSTGRES_TOOLS_SESSION_GATEWAY_H_

// Lends a session of ours to a program of PostgreSQL's: pg_dump connects to a
// socket, and its statements run in our session, under our locks.
//
//   SLUICE_ASSIGN_OR_RETURN(auto gateway,
//                           SessionGateway::Open(leader, interrupt, folder));
//   RunProcess(tools.Command("pg_dump", gateway->connection()), ...);
//   gateway->Close();
//
// Why: pg_dump locks each table itself. As soon as anybody waits to ALTER or
// TRUNCATE a table behind our lock, a second session that asks for the weakest
// lock waits behind him, he waits for us, and we for pg_dump. In one session a
// lock that is held is granted again at once.
//
// Speaks the server's side of protocol 3.0 (frontend_parser.h), as far as
// pg_dump
// --schema-only needs it: no password, no TLS, simple queries without COPY.
// Statements that begin a transaction, set its snapshot or say how long to wait
// for a lock are answered and not run: all three are ours. The socket lies in a
// folder that only our user may enter; it takes one client, whose bytes are
// bounded and end the session where they are no such protocol.
//
// Borrows session and interrupt. While it is open, nobody else uses the
// session. A thread of its own, joined by Close and by the destructor.

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/thread.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/tools/frontend_parser.h"

namespace sluice::postgres {

class SessionGateway {
 public:
  // The socket is in a new folder in `scratch_folder`; empty: $TMPDIR, or /tmp.
  // In /tmp, too, where that path is too long for a socket.
  static absl::StatusOr<std::unique_ptr<SessionGateway>> Open(
      Connection& session, const Interrupt& interrupt,
      const std::string& scratch_folder);
  ~SessionGateway();
  SessionGateway(const SessionGateway&) = delete;
  SessionGateway& operator=(const SessionGateway&) = delete;

  // What a client connects with.
  ConnectionOptions connection() const;
  // Ends the client's session. The first error that the server returned for one
  // of its statements; OK where there was none.
  absl::Status Close();

 private:
  SessionGateway(Connection& session, const Interrupt& interrupt);

  bool ShouldGoOn() const;
  void Serve();
  int Accept();
  // What the server says to a startup packet.
  std::string Greeting() const;
  // What the server says to `sql`, as messages.
  std::string Answer(const std::string& sql);
  // Some bytes of the client's.
  bool Read(int client, FrontendParser& parser);
  bool Write(int client, absl::string_view bytes);

  Connection& session_;
  const Interrupt& interrupt_;
  std::string folder_;
  int listener_ = -1;
  std::atomic<bool> closing_{false};
  absl::Status failure_;  // the thread's until it is joined
  Thread thread_;         // the last: joined before the rest goes
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TOOLS_SESSION_GATEWAY_H_

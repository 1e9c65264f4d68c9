// See smtp.h.
#include "cli/healthcheck/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include "cli/healthcheck/certificate.h"

namespace mz::mail {
namespace {

constexpr size_t kMaxReplyLines = 100;

struct Dialogue {
  const SmtpRequest* request = nullptr;
  std::string_view text;  // the mail
  size_t sent = 0;
  std::string command;  // the last one
  std::vector<std::string> reply;
  bool quitting = false;

  void Tell(char side, std::string_view lines) const {
    if (!request->transcript) return;
    while (!lines.empty()) {
      const size_t end = std::min(lines.find('\n'), lines.size());
      std::string_view line = lines.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      request->transcript(side, line);
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }
};

size_t ReadMail(char* out, size_t size, size_t count, void* user) {
  Dialogue* d = static_cast<Dialogue*>(user);
  const size_t n = std::min(size * count, d->text.size() - d->sent);
  std::memcpy(out, d->text.data() + d->sent, n);
  d->sent += n;
  return n;
}

// STARTTLS or a second address begins the mail from its start.
int SeekMail(void* user, curl_off_t offset, int origin) {
  Dialogue* d = static_cast<Dialogue*>(user);
  if (origin != SEEK_SET || offset < 0 || static_cast<size_t>(offset) > d->text.size()) return CURL_SEEKFUNC_FAIL;
  d->sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

size_t DropReplies(char*, size_t size, size_t count, void*) { return size * count; }

int Overhear(CURL*, curl_infotype type, char* data, size_t size, void* user) {
  Dialogue* d = static_cast<Dialogue*>(user);
  std::string_view text(data, size);
  switch (type) {
    case CURLINFO_HEADER_OUT:
      d->Tell('>', text);
      if (text.starts_with("QUIT")) d->quitting = true;
      if (d->quitting) break;  // what counts was said before
      d->command = text.substr(0, text.find_first_of("\r\n"));
      d->reply.clear();
      break;
    case CURLINFO_HEADER_IN:
      d->Tell('<', text);
      if (d->quitting) break;
      while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
      if (d->sent > 0 && d->sent == d->text.size() && d->command == "DATA") {
        d->command = "message";  // this reply is to the end of the data
        d->reply.clear();
      }
      if (d->reply.size() < kMaxReplyLines) d->reply.emplace_back(text);
      break;
    case CURLINFO_TEXT:
      d->Tell('*', text);
      break;
    case CURLINFO_DATA_OUT:
      d->Tell('*', "(" + std::to_string(size) + " octets of the message)");
      break;
    default:
      break;
  }
  return 0;
}

std::string StageOf(std::string_view command) {
  if (command.empty()) return "connection";
  for (const char* known : {"EHLO", "HELO", "MAIL FROM", "RCPT TO", "DATA", "STARTTLS", "message"})
    if (command.starts_with(known)) return known;
  return std::string(command.substr(0, command.find(' ')));
}

// The server's certificates as PEM, its own first.
std::vector<std::string> Certificates(CURL* curl) {
  constexpr std::string_view kPem = "Cert:";
  std::vector<std::string> out;
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr) return out;
  for (int k = 0; k < chain->num_of_certs; ++k)
    for (const curl_slist* line = chain->certinfo[k]; line != nullptr; line = line->next)
      if (std::string_view(line->data).starts_with(kPem)) out.emplace_back(line->data + kPem.size());
  return out;
}

std::string UrlOf(CURL* curl, const SmtpRequest& request) {
  std::string url = "smtp://" + request.server.Text() + "/";
  if (char* name = curl_easy_escape(curl, request.helo.data(), static_cast<int>(request.helo.size()));
      name != nullptr) {
    url += name;
    curl_free(name);
  }
  return url;
}

std::string ResolveLine(const SmtpRequest& request) {
  std::string line = request.server.host + ":" + std::to_string(request.server.port) + ":";
  for (size_t k = 0; k < request.addresses.size(); ++k) {
    const std::string& a = request.addresses[k];
    line += (k == 0 ? "" : ",") + (a.find(':') == a.npos ? a : "[" + a + "]");
  }
  return line;
}

void Classify(CURLcode code, const Dialogue& d, CURL* curl, const char* message, SmtpResult* out) {
  long reply_code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply_code);
  out->code = static_cast<int>(reply_code);
  out->stage = StageOf(d.command);
  for (const std::string& line : d.reply) out->reply += (out->reply.empty() ? "" : " / ") + line;
  if (code == CURLE_OK) {
    out->kind = SmtpResult::kAccepted;
    return;
  }
  out->error = message[0] != '\0' ? message : curl_easy_strerror(code);
  const bool is_tls = code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CONNECT_ERROR ||
                      code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                      code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_ISSUER_ERROR;
  const bool answered = !d.reply.empty() && code != CURLE_OPERATION_TIMEDOUT && code != CURLE_COULDNT_CONNECT &&
                        code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING;
  if (is_tls)
    out->kind = SmtpResult::kTls;
  else if (answered && reply_code >= 500 && reply_code < 600)
    out->kind = SmtpResult::kRejected;
  else if (answered && reply_code >= 400 && reply_code < 500)
    out->kind = SmtpResult::kTemporary;
  else
    out->kind = SmtpResult::kUnreachable;
}

SmtpResult Attempt(const SmtpRequest& request, std::string_view text, TlsMode tls, bool* handshake_failed) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  SmtpResult out;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), curl_easy_cleanup);
  if (handle == nullptr) {
    out.error = "libcurl cannot start";
    return out;
  }
  CURL* curl = handle.get();
  Dialogue dialogue{.request = &request, .text = text};
  using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;
  List recipients(curl_slist_append(nullptr, request.rcpt_to.c_str()), curl_slist_free_all);
  List resolve(request.addresses.empty() ? nullptr : curl_slist_append(nullptr, ResolveLine(request).c_str()),
               curl_slist_free_all);
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, UrlOf(curl, request).c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // an http proxy of the environment is not for mail
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, request.mail_from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, ReadMail);
  curl_easy_setopt(curl, CURLOPT_READDATA, &dialogue);
  curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, SeekMail);
  curl_easy_setopt(curl, CURLOPT_SEEKDATA, &dialogue);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(text.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, DropReplies);
  curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, Overhear);
  curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &dialogue);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(request.reply_seconds));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(request.connect_seconds + 4 * request.reply_seconds));
  if (resolve != nullptr) curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve.get());
  if (!request.source.empty()) curl_easy_setopt(curl, CURLOPT_INTERFACE, ("host!" + request.source).c_str());
  if (!request.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  const long use = tls == TlsMode::kNone       ? CURLUSESSL_NONE
                   : tls == TlsMode::kRequired ? CURLUSESSL_ALL
                                               : CURLUSESSL_TRY;
  curl_easy_setopt(curl, CURLOPT_USE_SSL, use);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls == TlsMode::kRequired ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls == TlsMode::kRequired ? 2L : 0L);
  curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);

  const CURLcode code = curl_easy_perform(curl);
  Classify(code, dialogue, curl, message, &out);
  *handshake_failed = code == CURLE_SSL_CONNECT_ERROR;
  if (const char* address = nullptr;
      curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address != nullptr)
    out.address = address;
  curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &out.seconds);
  if (const std::vector<std::string> chain = Certificates(curl); !chain.empty()) {
    out.tls = out.kind != SmtpResult::kTls;
    out.certificate = JudgeCertificate(chain, request.server.host, request.ca_file);
  }
  return out;
}

}  // namespace

SmtpResult SendMail(const SmtpRequest& request, std::string_view text) {
  bool handshake_failed = false;
  SmtpResult result = Attempt(request, text, request.tls, &handshake_failed);
  if (!handshake_failed || request.tls != TlsMode::kOpportunistic) return result;
  const std::string why = result.error;
  if (request.transcript) request.transcript('*', "TLS failed (" + why + "); again without TLS");
  result = Attempt(request, text, TlsMode::kNone, &handshake_failed);
  result.tls_error = why;
  return result;
}

std::string_view SmtpKindWord(SmtpResult::Kind kind) {
  constexpr std::string_view kWords[] = {"accepted", "rejected", "deferred", "unreachable", "no-tls"};
  return kWords[kind];
}

}  // namespace mz::mail

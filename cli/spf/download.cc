// See download.h.
#include "cli/spf/download.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

namespace mz::cli {
namespace {

struct Body {
  std::string text;
  bool too_long = false;
};

size_t Receive(char* data, size_t size, size_t count, void* user) {
  Body* body = static_cast<Body*>(user);
  const size_t bytes = size * count;
  if (body->text.size() + bytes > kMaxDownloadBytes) {
    body->too_long = true;
    return 0;
  }
  body->text.append(data, bytes);
  return bytes;
}

StatusOr<std::string> Transfer(const std::string& url, const std::vector<std::string>& headers, const std::string* post) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return MakeStatus(StatusCode::kInvalidArgument, "'" + url + "' is not an http or https URL");
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return MakeStatus(StatusCode::kFailedPrecondition, "libcurl cannot start");
  curl_slist* list = nullptr;
  for (const std::string& h : headers) list = curl_slist_append(list, h.c_str());
  if (post != nullptr) list = curl_slist_append(list, "Content-Type: application/json");
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owned(list, curl_slist_free_all);
  Body body;
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "mailzone");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kHttpTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Receive);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  if (post != nullptr) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post->size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, post->c_str());
  }
  const CURLcode result = curl_easy_perform(curl.get());
  if (body.too_long)
    return MakeStatus(StatusCode::kResourceExhausted, "the answer is longer than " + std::to_string(kMaxDownloadBytes) + " octets");
  if (result != CURLE_OK)
    return MakeStatus(StatusCode::kUnavailable, message[0] != '\0' ? message : curl_easy_strerror(result));
  long code = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &code);
  if (code < 200 || code > 299) return MakeStatus(StatusCode::kUnavailable, "HTTP status " + std::to_string(code));
  return std::move(body.text);
}

}  // namespace

StatusOr<std::string> Download(const std::string& url, const std::vector<std::string>& headers) {
  return Transfer(url, headers, nullptr);
}

Status PostJson(const std::string& url, const std::string& body) { return Transfer(url, {}, &body).status(); }

}  // namespace mz::cli

// What a strict sender would say about a mail server's certificate, when the mail is sent whatever it says.
#pragma once

#include <string>
#include <vector>

namespace mz::mail {

// `chain`: PEM texts, the server's own first. `ca_file`: PEM, "" for the system's authorities. Returns "trusted",
// or what is wrong in words.
std::string JudgeCertificate(const std::vector<std::string>& chain, const std::string& host,
                             const std::string& ca_file);

}  // namespace mz::mail

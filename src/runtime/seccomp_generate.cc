// Runs at build time: writes the default profile's program as a C++ array, so that starting a
// container does not pay the milliseconds that libseccomp takes.
#include <stdio.h>

#include "base/str.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_default.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  minke::oci::Seccomp profile =
      minke::runtime::default_seccomp(minke::runtime::default_capabilities());
  auto program = minke::runtime::compile_seccomp(profile);
  if (!program) {
    ::fprintf(stderr, "%s\n", program.error().message().c_str());
    return 1;
  }
  FILE* out = ::fopen(argv[1], "w");
  if (out == nullptr) return 1;
  ::fprintf(out,
            "// Made by seccomp_generate.cc from the default profile.\n#include "
            "\"runtime/seccomp_embedded.h\"\n\n"
            "namespace minke::runtime {\n\nconst char kEmbeddedProfile[] =\n");
  std::string text = minke::runtime::canonical_seccomp(profile);
  for (std::size_t at = 0; at < text.size(); at += 100)
    ::fprintf(out, "    %s\n", minke::quote(text.substr(at, 100)).c_str());
  ::fprintf(out, ";\nconst std::uint64_t kEmbeddedProgram[] = {");
  for (std::size_t i = 0; i < program->code.size(); ++i)
    ::fprintf(out, "%s0x%llxULL,", i % 5 == 0 ? "\n    " : " ",
              static_cast<unsigned long long>(program->code[i]));
  ::fprintf(out,
            "\n};\nconst std::size_t kEmbeddedLength = %zu;\n\n}  // namespace minke::runtime\n",
            program->code.size());
  return ::fclose(out) == 0 ? 0 : 1;
}

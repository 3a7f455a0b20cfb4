#include "build/parse.h"

#include <gtest/gtest.h>

#include "build/graph.h"
#include "build/mode.h"
#include "build/variables.h"

namespace minke::build {
namespace {

using Words = std::vector<std::string>;

Containerfile file_of(std::string_view text) {
  auto file = parse(text, "Containerfile");
  EXPECT_TRUE(file.ok()) << (file ? "" : file.error().message()) << "\n" << text;
  return file ? std::move(*file) : Containerfile{};
}

// The only instruction behind "FROM x".
Instruction one(std::string_view text) {
  Containerfile file = file_of("FROM x\n" + std::string(text) + "\n");
  if (file.stages.size() != 1 || file.stages[0].instructions.size() != 1) {
    ADD_FAILURE() << "not one instruction: " << text;
    return {};
  }
  return std::move(file.stages[0].instructions[0]);
}

template <typename T>
T node_of(std::string_view text) {
  Instruction instruction = one(text);
  T* found = instruction.as<T>();
  EXPECT_NE(found, nullptr) << text;
  return found != nullptr ? std::move(*found) : T{};
}

std::string fault(std::string_view text) {
  auto file = parse(text, "F");
  return file ? "no error" : file.error().message();
}
std::string fault_of(std::string_view line) {
  std::string message = fault("FROM x\n" + std::string(line) + "\n");
  return message.starts_with("F:2: ") ? message.substr(5) : message;
}

TEST(Scan, DirectivesComeFirst) {
  Containerfile file = file_of(
      "# syntax = docker/dockerfile:1\n# ESCAPE=`\n#check=skip=all\nFROM x\nRUN a `\n  b\n");
  EXPECT_EQ(file.syntax, "docker/dockerfile:1");
  EXPECT_EQ(file.check, "skip=all");
  EXPECT_EQ(file.escape, '`');
  EXPECT_EQ(file.stages[0].instructions[0].original, "RUN a   b");
  // A comment, an unknown directive or an empty line ends them.
  EXPECT_EQ(file_of("# hello\n# escape=`\nFROM x\n").escape, '\\');
  EXPECT_EQ(file_of("# unknown=x\n# escape=`\nFROM x\n").escape, '\\');
  EXPECT_EQ(file_of("\n# escape=`\nFROM x\n").escape, '\\');
  EXPECT_EQ(fault("# escape=x\nFROM x\n"), "F:1: escape=x: the escape character is \\ or `");
  EXPECT_EQ(fault("# syntax=a\n# syntax=b\nFROM x\n"), "F:2: the directive syntax is given twice");
}

TEST(Parse, StagesAreBounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "FROM scratch\n";
  EXPECT_EQ(fault(text), "no error");
  EXPECT_EQ(fault(text + "FROM scratch\n"), "F:1001: more than 1000 stages");
}

TEST(Scan, ContinuationsAndComments) {
  Containerfile file = file_of(
      "\xef\xbb\xbf# first\r\nFROM x\r\n\r\nRUN a && \\\r\n  # in between\n\n   b \\  \n"
      "# \\\n    c\n   \t USER me\nRUN echo \\\\\nRUN last \\\n");
  const auto& list = file.stages[0].instructions;
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].as<node::Run>()->command.words, Words{"a &&    b     c"});
  EXPECT_EQ(list[0].lines.first, 4);
  EXPECT_EQ(list[0].lines.last, 9);
  EXPECT_EQ(list[1].as<node::User>()->user, "me");
  EXPECT_EQ(list[2].as<node::Run>()->command.words, Words{"echo \\\\"});
  EXPECT_EQ(list[3].as<node::Run>()->command.words, Words{"last"});
  ASSERT_EQ(file.warnings.size(), 1U);
  EXPECT_TRUE(file.warnings[0].starts_with("4: ")) << file.warnings[0];
}

TEST(Scan, KeywordsInAnyCase) {
  EXPECT_EQ(one("run a").keyword, "RUN");
  EXPECT_EQ(one("WorkDir /x").as<node::Workdir>()->path, "/x");
  EXPECT_EQ(file_of("from x as Name\n").stages[0].name, "name");
}

TEST(Parse, CommandForms) {
  EXPECT_EQ(node_of<node::Run>("RUN echo \"a  b\" && c").command.words,
            Words{"echo \"a  b\" && c"});
  auto exec = node_of<node::Run>(R"(RUN [ "a", "b c" ])").command;
  EXPECT_FALSE(exec.shell_form);
  EXPECT_EQ(exec.words, (Words{"a", "b c"}));
  // What is no JSON is for the shell.
  EXPECT_TRUE(node_of<node::Run>("RUN [ -f x ] && y").command.shell_form);
  EXPECT_TRUE(node_of<node::Cmd>("CMD ['a', 'b']").command.shell_form);
  EXPECT_TRUE(node_of<node::Cmd>(R"(CMD ["a", "b"] x)").command.shell_form);
  EXPECT_EQ(node_of<node::Cmd>("CMD []").command.words, Words());
  EXPECT_EQ(node_of<node::Entrypoint>(R"(ENTRYPOINT ["/x"])").command.words, Words{"/x"});
  EXPECT_EQ(node_of<node::Shell>(R"(SHELL ["/bin/bash", "-eo", "pipefail", "-c"])").words.size(),
            4U);
  EXPECT_EQ(command_vector(node_of<node::Cmd>("CMD a b").command, {"/bin/sh", "-c"}),
            (Words{"/bin/sh", "-c", "a b"}));
  EXPECT_EQ(fault_of("CMD [\"a\", 1]"),
            "the JSON form takes strings only, not a number (put it into double quotes)");
  EXPECT_EQ(fault_of("SHELL /bin/bash -c"),
            "SHELL wants the JSON form (SHELL [\"/bin/bash\", \"-c\"])");
  EXPECT_EQ(fault_of("RUN"), "RUN wants a command");
  EXPECT_EQ(fault_of("RUN []"), "RUN wants a command");
}

TEST(Parse, HeredocsOfRun) {
  auto plain = node_of<node::Run>("RUN <<EOF\necho $a\n# not a comment\n\nEOF");
  ASSERT_EQ(plain.heredocs.size(), 1U);
  EXPECT_EQ(plain.heredocs[0].content, "echo $a\n# not a comment\n\n");
  auto command = run_command(plain, {"/bin/bash", "-c"});
  EXPECT_EQ(command->argv, (Words{"/bin/bash", "-c", "echo $a\n# not a comment\n\n"}));
  EXPECT_EQ(command->script_name, "");

  auto script =
      run_command(node_of<node::Run>("RUN <<-'END'\n\t#!/usr/bin/python3\n\tprint()\n\tEND"),
                  {"/bin/sh", "-c"});
  EXPECT_EQ(script->argv, (Words{"/bin/sh", "-c", "/dev/pipes/END"}));
  EXPECT_EQ(script->script, "#!/usr/bin/python3\nprint()\n");
  EXPECT_EQ(script->script_name, "END");

  auto several = node_of<node::Run>("RUN cat <<A <<\"B\" > x 3<<C\n1\nA\n2\nB\n3\nC");
  ASSERT_EQ(several.heredocs.size(), 3U);
  EXPECT_TRUE(several.heredocs[0].expand);
  EXPECT_FALSE(several.heredocs[1].expand);
  EXPECT_EQ(several.heredocs[2].fd, 3);
  EXPECT_EQ(run_command(several, {"sh", "-c"})->argv[2],
            "cat <<A <<\"B\" > x 3<<C\n1\nA\n2\nB\n3\nC");

  EXPECT_EQ(node_of<node::Run>("RUN << EOF\nx\nEOF").heredocs.size(), 1U);
  EXPECT_EQ(node_of<node::Run>("RUN <<EOF sh \\\n  -x\nx\nEOF").heredocs.size(), 1U);
  // No heredocs: arithmetic, a here string, quoted text, the JSON form.
  EXPECT_EQ(node_of<node::Run>("RUN echo $(( 1 << 2 ))").heredocs.size(), 0U);
  EXPECT_EQ(node_of<node::Run>("RUN cat <<<word").heredocs.size(), 0U);
  EXPECT_EQ(node_of<node::Run>("RUN echo \"<<EOF\"").heredocs.size(), 0U);
  EXPECT_EQ(node_of<node::Run>(R"(RUN ["echo", "<<EOF"])").heredocs.size(), 0U);
  EXPECT_EQ(fault_of("RUN <<EOF\nx"), "the heredoc <<EOF never ends (add a line that is only EOF)");
}

TEST(Parse, HeredocsOfCopy) {
  auto copy =
      node_of<node::Copy>("COPY --chown=1:2 <<a.txt <<'b' plain /dest/\nhi $x\na.txt\n$y\nb");
  ASSERT_EQ(copy.sources.size(), 3U);
  EXPECT_EQ(copy.sources[0].path, "a.txt");
  EXPECT_EQ(copy.sources[0].heredoc, 0);
  EXPECT_EQ(copy.sources[1].heredoc, 1);
  EXPECT_EQ(copy.sources[2].heredoc, -1);
  EXPECT_EQ(copy.heredocs[0].content, "hi $x\n");
  Instruction instruction = one("COPY <<a <<'b' /d/\n\"$x\" \\$x \\\\\na\n$x\nb");
  ASSERT_TRUE(expand_instruction(
                  &instruction, [](auto) { return "X"; }, '`')
                  .ok());
  EXPECT_EQ(instruction.as<node::Copy>()->heredocs[0].content, "\"X\" $x \\\n");
  EXPECT_EQ(instruction.as<node::Copy>()->heredocs[1].content, "$x\n");
  EXPECT_EQ(fault_of("COPY a <<EOF\nx\nEOF"), "<<EOF: a heredoc cannot be the destination");
  // Two of one name are read one after the other.
  auto same = node_of<node::Copy>("COPY <<X <<X /d/\n1\nX\n2\nX");
  EXPECT_EQ(same.heredocs[1].content, "2\n");
}

TEST(Parse, CopyFlags) {
  auto copy = node_of<node::Copy>(
      "COPY --from=base --chown=\"a b:c\" --chmod=u=rwX,go=rX --link --parents=true "
      "--exclude=*.o --exclude=tmp a b* /dest/");
  EXPECT_EQ(copy.from, "base");
  EXPECT_EQ(copy.chown, "a b:c");
  EXPECT_EQ(copy.chmod, "u=rwX,go=rX");
  EXPECT_TRUE(copy.link);
  EXPECT_TRUE(copy.parents);
  EXPECT_EQ(copy.exclude, (Words{"*.o", "tmp"}));
  EXPECT_EQ(copy.sources.size(), 2U);
  EXPECT_EQ(copy.destination, "/dest/");
  auto add = node_of<node::Copy>("ADD --keep-git-dir --unpack=false [\"a b\", \"/x\"]");
  EXPECT_TRUE(add.add);
  EXPECT_TRUE(add.keep_git_dir);
  EXPECT_EQ(add.unpack, false);
  EXPECT_EQ(add.sources[0].path, "a b");
  EXPECT_EQ(fault_of("COPY a"),
            "COPY wants at least one source and a destination (only \"a\" is given)");
  EXPECT_EQ(fault_of("COPY --form=x a b"), "unknown flag --form of COPY (did you mean from?)");
  EXPECT_EQ(fault_of("COPY --from a b"), "--from wants a value (--from=...)");
  EXPECT_EQ(fault_of("COPY --from=a --from=b x y"), "--from is given twice");
  EXPECT_EQ(fault_of("COPY --link=yes a b"), "--link=yes: expected true or false");
  EXPECT_EQ(fault_of("COPY --chmod=9 a b"),
            "--chmod=9: invalid mode \"9\": it is an octal number up to 7777");
  EXPECT_EQ(fault_of("ADD --from=x a b"), "unknown flag --from of ADD");
  EXPECT_EQ(fault_of("USER --x y"), "unknown flag --x of USER (USER takes none)");
}

TEST(Parse, Mounts) {
  auto run = node_of<node::Run>(
      "RUN --mount=type=cache,target=/c,id=i,sharing=locked,mode=0700,uid=5 "
      "--mount=from=base,src=/a,dst=/b,rw --mount=type=secret,id=token,env=TOKEN "
      "--mount=type=secret,target=/run/x/key,required --mount=type=ssh "
      "--mount=type=tmpfs,target=/t,size=64m --network=none --security=insecure true");
  ASSERT_EQ(run.mounts.size(), 6U);
  EXPECT_EQ(run.mounts[0].type, RunMount::Type::cache);
  EXPECT_EQ(run.mounts[0].sharing, RunMount::Sharing::locked);
  EXPECT_EQ(run.mounts[0].mode, 0700U);
  EXPECT_EQ(run.mounts[0].uid, 5U);
  EXPECT_FALSE(run.mounts[0].read_only);
  EXPECT_EQ(run.mounts[1].type, RunMount::Type::bind);
  EXPECT_EQ(run.mounts[1].from, "base");
  EXPECT_FALSE(run.mounts[1].read_only);
  EXPECT_EQ(run.mounts[2].env, "TOKEN");
  EXPECT_EQ(run.mounts[2].target, "") << "only a variable";
  EXPECT_EQ(run.mounts[3].id, "key");
  EXPECT_TRUE(run.mounts[3].required);
  EXPECT_EQ(run.mounts[4].id, "default");
  EXPECT_EQ(run.mounts[5].size, 64U << 20);
  EXPECT_EQ(run.network, "none");
  EXPECT_EQ(run.security, "insecure");
  EXPECT_EQ(node_of<node::Run>("RUN --mount=type=secret,id=a.b x").mounts[0].target,
            "/run/secrets/a.b");
  EXPECT_EQ(node_of<node::Run>("RUN --mount=type=cache,target=/c x").mounts[0].id, "/c");
  EXPECT_TRUE(node_of<node::Run>("RUN --mount=target=/c x").mounts[0].read_only);
  EXPECT_EQ(
      node_of<node::Run>("RUN --mount='type=bind,\"source=a,b\",target=/c' x").mounts[0].source,
      "a,b");

  const std::pair<const char*, const char*> faults[] = {
      {"type=cach,target=/c",
       "--mount=type=cach,target=/c: type=cach: no such type of mount (bind, cache, tmpfs, secret, "
       "ssh) (did you mean cache?)"},
      {"type=cache", "--mount=type=cache: a cache needs target="},
      {"target=/a,size=5", "--mount=target=/a,size=5: a mount of type bind takes no size"},
      {"tagret=/a", "--mount=tagret=/a: unknown key \"tagret\" (did you mean target?)"},
      {"target", "--mount=target: target wants a value (target=...)"},
      {"type=secret", "--mount=type=secret: a secret needs id=, source= or target="},
      {"type=cache,target=/c,mode=9",
       "--mount=type=cache,target=/c,mode=9: mode=9: expected an octal number up to 7777"},
      {"target=/a,ro=maybe", "--mount=target=/a,ro=maybe: ro=maybe: expected true or false"},
  };
  for (const auto& [mount, message] : faults)
    EXPECT_EQ(fault_of("RUN --mount=" + std::string(mount) + " x"), message);
  EXPECT_EQ(fault_of("RUN --network=bridge x"), "--network=bridge: expected default, none or host");
}

TEST(Parse, MountsWithVariables) {
  Instruction run =
      one("RUN --mount=type=$t,id=${p}-x,target=/c$p,mode=$m --mount=from=$p,target=/x y");
  EXPECT_EQ(run.as<node::Run>()->mounts[1].from, "$p");
  std::set<std::string> used;
  auto lookup = [](std::string_view name) -> std::optional<std::string> {
    if (name == "t") return "cache";
    if (name == "p") return "python";
    if (name == "m") return "750";
    return std::nullopt;
  };
  ASSERT_TRUE(expand_instruction(&run, lookup, '\\', &used).ok());
  const RunMount& mount = run.as<node::Run>()->mounts[0];
  EXPECT_EQ(mount.type, RunMount::Type::cache);
  EXPECT_EQ(mount.id, "python-x");
  EXPECT_EQ(mount.target, "/cpython");
  EXPECT_EQ(mount.mode, 0750U);
  EXPECT_EQ(used, (std::set<std::string>{"m", "p", "t"}));
  Instruction bad = one("RUN --mount=type=$none,target=/c y");
  EXPECT_FALSE(expand_instruction(&bad, lookup, '\\').ok());
}

TEST(Parse, NamesAndValues) {
  auto env = node_of<node::Env>(R"(ENV A=1 B="two words" C='$x' D=a\ b E=)");
  ASSERT_EQ(env.pairs.size(), 5U);
  EXPECT_EQ(env.pairs[1].value, "\"two words\"");
  EXPECT_EQ(env.pairs[3].value, "a\\ b");
  EXPECT_EQ(env.pairs[4].value, "");
  EXPECT_EQ(node_of<node::Env>("ENV NAME  the rest = of it").pairs[0].value, "the rest = of it");
  EXPECT_EQ(node_of<node::Label>(R"(LABEL "a.b"="c" d=e)").pairs[0].key, "\"a.b\"");
  auto arg = node_of<node::Arg>("ARG A B=1 C= D=\"x y\"");
  ASSERT_EQ(arg.items.size(), 4U);
  EXPECT_EQ(arg.items[0].value, std::nullopt);
  EXPECT_EQ(arg.items[2].value, "");
  EXPECT_EQ(arg.items[3].value, "\"x y\"");
  EXPECT_EQ(fault_of("ENV A"), "ENV A has no value (ENV A=VALUE)");
  EXPECT_EQ(fault_of("ENV A=b c"),
            "no = in \"c\" (each is name=value; put a value with blanks into quotes)");
  EXPECT_EQ(fault_of("ENV =b"), "\"=b\" has no name before the =");
  EXPECT_EQ(fault_of("ARG"), "ARG wants a name (ARG NAME or ARG NAME=VALUE)");
}

TEST(Parse, Healthchecks) {
  auto check = node_of<node::Healthcheck>(
      "HEALTHCHECK --interval=1m30s --timeout=5s --start-period=30s --start-interval=1s "
      "--retries=7 \\\n"
      "  CMD curl -f http://localhost/ || exit 1");
  EXPECT_EQ(check.interval, 90 * kSecond);
  EXPECT_EQ(check.timeout, 5 * kSecond);
  EXPECT_EQ(check.start_period, 30 * kSecond);
  EXPECT_EQ(check.start_interval, kSecond);
  EXPECT_EQ(check.retries, 7);
  EXPECT_EQ(check.command.words, Words{"curl -f http://localhost/ || exit 1"});
  EXPECT_EQ(node_of<node::Healthcheck>(R"(HEALTHCHECK cmd ["a", "b"])").command.words,
            (Words{"a", "b"}));
  EXPECT_TRUE(node_of<node::Healthcheck>("HEALTHCHECK none").none);
  EXPECT_EQ(fault_of("HEALTHCHECK NONE x"), "HEALTHCHECK NONE takes nothing else");
  EXPECT_EQ(fault_of("HEALTHCHECK curl x"), "HEALTHCHECK curl: expected CMD or NONE");
  EXPECT_EQ(fault_of("HEALTHCHECK --interval=5 CMD x"),
            "--interval=5: expected a duration, as in 30s or 1m30s");
  EXPECT_EQ(fault_of("HEALTHCHECK --retries=-1 CMD x"), "--retries=-1: expected a number");
  EXPECT_EQ(fault_of("HEALTHCHECK CMD"), "HEALTHCHECK CMD wants a command");
}

TEST(Parse, Onbuild) {
  EXPECT_EQ(node_of<node::Onbuild>("ONBUILD RUN a \\\n  b").trigger, "RUN a   b");
  auto heredoc = node_of<node::Onbuild>("ONBUILD RUN <<EOF\nx\nEOF");
  EXPECT_EQ(heredoc.trigger, "RUN <<EOF\nx\nEOF");
  auto again = parse_trigger(heredoc.trigger, "base");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->as<node::Run>()->heredocs[0].content, "x\n");
  EXPECT_EQ(fault_of("ONBUILD ONBUILD RUN x"), "ONBUILD cannot stand behind ONBUILD");
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "ONBUILD ";
  EXPECT_EQ(fault_of(many + "RUN cat <<E\nE"), "ONBUILD cannot stand behind ONBUILD");
  EXPECT_EQ(fault_of("ONBUILD FROM x"), "FROM cannot stand behind ONBUILD");
  EXPECT_EQ(fault_of("ONBUILD COPY x"),
            "COPY wants at least one source and a destination (only \"x\" is given)");
  EXPECT_EQ(parse_trigger("RUN a\nRUN b", "base").error().message(),
            "ONBUILD of base: \"RUN a\\nRUN b\" is not one instruction");
}

TEST(Parse, StagesAndFaults) {
  Containerfile file =
      file_of("ARG V=1\nFROM --platform=$BUILDPLATFORM a:$V AS Build\nFROM build\n");
  ASSERT_EQ(file.stages.size(), 2U);
  EXPECT_EQ(file.globals.size(), 1U);
  EXPECT_EQ(file.stages[0].platform, "$BUILDPLATFORM");
  EXPECT_EQ(file.stages[0].base, "a:$V");
  EXPECT_EQ(file.stages[0].name, "build");
  EXPECT_EQ(fault(""), "F: no FROM (a Containerfile begins with FROM IMAGE or FROM scratch)");
  EXPECT_EQ(fault("# only\n"), fault(""));
  EXPECT_EQ(fault("RUN x\nFROM y\n"), "F:1: RUN before the first FROM (only ARG can stand there)");
  EXPECT_EQ(fault("FROM\n"),
            "F:1: FROM wants an image, or an image and a name (FROM IMAGE AS NAME)");
  EXPECT_EQ(fault("FROM a b\n"), fault("FROM\n"));
  EXPECT_EQ(fault("FROM a as 1x\n"),
            "F:1: invalid stage name \"1x\" (a letter, then letters, digits, - _ .)");
  EXPECT_EQ(fault("FROM a\n\nRNU x\n"), "F:3: unknown instruction RNU (did you mean RUN?)");
  EXPECT_EQ(fault("FROM a\nWORKDIRECTORY x\n"), "F:2: unknown instruction WORKDIRECTORY");
}

TEST(Expand, ChecksWhatItCanNow) {
  auto expanded = [](std::string_view text) {
    Instruction instruction = one(text);
    auto lookup = [](std::string_view name) -> std::optional<std::string> {
      if (name == "p") return "8000-8002";
      if (name == "s") return "TERM";
      return std::nullopt;
    };
    Status done = expand_instruction(&instruction, lookup, '\\');
    return done ? std::pair(instruction, std::string())
                : std::pair(instruction, done.error().message());
  };
  EXPECT_EQ(expanded("EXPOSE $p/udp 80 127.0.0.1:99:98").first.as<node::Expose>()->ports,
            (Words{"8000/udp", "8001/udp", "8002/udp", "80/tcp", "98/tcp"}));
  EXPECT_EQ(expanded("EXPOSE 99999").second,
            "invalid port \"99999\" (PORT, PORT-PORT, with /tcp or /udp)");
  EXPECT_EQ(expanded("STOPSIGNAL SIG$s").second, "");
  EXPECT_EQ(expanded("STOPSIGNAL x$s").second, "unknown signal \"xTERM\" (SIGTERM, TERM or 15)");
  EXPECT_EQ(expanded("WORKDIR $none").second, "the path is empty");
  EXPECT_EQ(expanded("USER $none").second, "the user is empty");
  EXPECT_EQ(expanded("COPY $none /x").second, "a source is empty");
  EXPECT_EQ(expanded("ADD --checksum=sha256:12 http://x /x").second,
            "--checksum=sha256:12: expected sha256: and 64 hex digits");
  EXPECT_EQ(expanded("ADD --checksum=sha256:12 local /x").second,
            "--checksum is for sources of http:// and https://, and of git");
  EXPECT_EQ(expanded("CMD $p").first.as<node::Cmd>()->command.words, Words{"$p"});
}

std::uint32_t mode_of(std::string_view text, std::uint32_t mode, bool directory = false) {
  auto parsed = FileMode::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? parsed->apply(mode, directory) : 0;
}

TEST(Mode, AsChmodHasIt) {
  EXPECT_EQ(mode_of("755", 0600), 0755U);
  EXPECT_EQ(mode_of("04755", 0600), 04755U);
  EXPECT_EQ(mode_of("u=rwX,go=rX", 0600), 0644U);
  EXPECT_EQ(mode_of("u=rwX,go=rX", 0700), 0755U);
  EXPECT_EQ(mode_of("u=rwX,go=rX", 0600, true), 0755U);
  EXPECT_EQ(mode_of("a+x", 0644), 0755U);
  EXPECT_EQ(mode_of("+x", 0644), 0755U);
  EXPECT_EQ(mode_of("g-w,o=", 0666), 0640U);
  EXPECT_EQ(mode_of("u+s,g+s", 0755), 06755U);
  EXPECT_EQ(mode_of("+t", 0777, true), 01777U);
  EXPECT_EQ(mode_of("g=u", 0640), 0660U);
  EXPECT_EQ(mode_of("go=u-w", 0750), 0755U);
  EXPECT_EQ(mode_of("u=rwx", 04644), 0744U);
  EXPECT_EQ(mode_of("u=rwx", 02755, true), 02755U);
  for (const char* bad : {"", "8", "77777", "u", "u=q", "x", "u=r,", "=rw,z+x"})
    EXPECT_FALSE(FileMode::parse(bad).ok()) << bad;
}

Graph graph_of(const Containerfile& file, std::string_view target = "",
               const std::set<std::string>& contexts = {}, const Variables::Given& given = {}) {
  auto graph = make_graph(file, target, contexts, given);
  EXPECT_TRUE(graph.ok()) << (graph ? "" : graph.error().message());
  return graph ? std::move(*graph) : Graph{};
}
std::vector<int> order(const Graph& graph) {
  std::vector<int> out;
  for (const StageNode& node : graph.stages) out.push_back(node.stage);
  return out;
}

TEST(Graph, OnlyWhatTheTargetNeeds) {
  Containerfile file = file_of(
      "FROM a AS base\nCOPY x /x\nFROM base AS unused\nRUN z\nFROM scratch AS data\n"
      "FROM base AS final\nCOPY --from=data / /\nRUN --mount=from=debian:12,target=/d true\n"
      "COPY --from=nginx:1 /etc /etc\nFROM final\n");
  Graph graph = graph_of(file);
  EXPECT_EQ(order(graph), (std::vector<int>{0, 2, 3, 4}));
  EXPECT_EQ(graph.find(3)->needs, (std::vector<int>{0, 2}));
  EXPECT_EQ(graph.find(3)->images, (std::set<std::string>{"debian:12", "nginx:1"}));
  EXPECT_EQ(graph.find(3)->origins.at({0, 0}).stage, 2);
  EXPECT_TRUE(graph.find(0)->reads_context);
  EXPECT_FALSE(graph.find(3)->reads_context);
  EXPECT_EQ(graph.find(2)->base.kind, Origin::Kind::scratch);
  EXPECT_EQ(order(graph_of(file, "UNUSED")), (std::vector<int>{0, 1}));
  EXPECT_EQ(order(graph_of(file, "2")), (std::vector<int>{2}));
  EXPECT_EQ(make_graph(file, "finall", {}, {}).error().message(),
            "Containerfile: no stage \"finall\" (did you mean final?)");
}

TEST(Graph, ContextsAndNumbersAndVariables) {
  Containerfile file = file_of(
      "ARG SRC=base\nFROM a AS base\nFROM b\nARG SRC\nCOPY --from=$SRC /x /x\nCOPY --from=0 /y /y\n"
      "COPY --from=late /z /z\nFROM c AS late\nFROM 1\n");
  Variables::Given given;
  given.globals = {{"SRC", "base"}};
  Graph graph = graph_of(file, "1", {}, given);
  EXPECT_EQ(order(graph), (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(graph.find(1)->origins.at({1, 0}).stage, 0);
  Graph replaced = graph_of(file, "1", {"base"}, given);
  EXPECT_EQ(replaced.find(1)->contexts, std::set<std::string>{"base"});
  EXPECT_EQ(graph_of(file).stages[0].base.kind, Origin::Kind::image) << "FROM takes no numbers";

  EXPECT_EQ(
      make_graph(file_of("FROM a AS a1\nCOPY --from=b1 / /\nFROM b AS b1\nCOPY --from=a1 / /\n"),
                 "", {}, {})
          .error()
          .message(),
      "Containerfile:2: stage \"b1\" needs itself");
  EXPECT_EQ(make_graph(file_of("FROM a\nCOPY --from=7 / /\n"), "", {}, {}).error().message(),
            "Containerfile:2: no stage 7 (there are 1, from 0 on)");
  EXPECT_EQ(make_graph(file_of("FROM $none\n"), "", {}, {}).error().message(),
            "Containerfile:1: $none is empty (give the ARG before the first FROM a value, or "
            "--build-arg)");
  Graph onbuild =
      graph_of(file_of("FROM a AS x\nFROM b AS y\nONBUILD COPY --from=x / /\nFROM y\n"));
  EXPECT_EQ(onbuild.find(2)->needs, (std::vector<int>{0, 1}));
}

TEST(Graph, FoldersAsBases) {
  Containerfile file = file_of("ARG B=root\nFROM $B AS a\nRUN x\nFROM other\nCOPY --from=a / /\n");
  Variables::Given given;
  given.globals = {{"B", "root"}};
  base_on_folders(&file, {"root"}, given);
  EXPECT_EQ(file.stages[0].base, "scratch");
  ASSERT_EQ(file.stages[0].instructions.size(), 2U);
  EXPECT_EQ(file.stages[0].instructions[0].original, "COPY --from=root . /");
  EXPECT_EQ(file.stages[1].base, "other");
  Graph graph = graph_of(file, "", {"root"}, given);
  EXPECT_EQ(graph.find(0)->base.kind, Origin::Kind::scratch);
  EXPECT_EQ(graph.find(0)->origins.at({0, 0}).name, "root");
}

}  // namespace
}  // namespace minke::build

#!/bin/bash
# A git repository behind a password: the secret GIT_AUTH_TOKEN opens it for its host, in no argument and in no file of the image.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has no git in ADD'
need_program git
need_program python3
[ -x "$(git --exec-path)/git-http-backend" ] || skip 'no git http-backend'
need_image
export HOME=$T/home GIT_CONFIG_NOSYSTEM=1
mkdir -p home srv
git config --global user.name t
git config --global user.email t@example.test
git init -q srv/p.git
echo private >srv/p.git/file
printf 'FROM localhost/busybox\nCOPY file /f\n' >srv/p.git/Containerfile
git -C srv/p.git add -A
git -C srv/p.git commit -q -m x
cat >server.py <<'P'
import base64, http.server, os, subprocess, sys
root, want = sys.argv[1], "basic " + base64.b64encode(b"x-access-token:sesame").decode()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != want:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        env = dict(os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""), GIT_CONFIG_COUNT="1",
                   GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        if self.headers.get("Content-Encoding") == "gzip":
            env["HTTP_CONTENT_ENCODING"] = "gzip"
        out = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=env).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((v.split()[0] for k, v in lines if k == "Status"), "200")
        self.send_response(int(status))
        for key, value in lines:
            if key != "Status":
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)
    do_POST = do_GET
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
P
python3 server.py "$T/srv" >port &
server=$!
trap 'code=$?; set +e; kill $server; wait $server 2>/dev/null; (exit $code); cleanup' EXIT
within 30 test -s port
url=http://127.0.0.1:$(cat port)/p.git
export TOKEN=sesame
ok minke build --network none -t a --secret id=GIT_AUTH_TOKEN,env=TOKEN "$url"
ok run a cat /f
assert_eq private "$out"
build -t b --secret id="GIT_AUTH_TOKEN.127.0.0.1:$(cat port)",env=TOKEN <<E
FROM localhost/busybox
ADD --keep-git-dir=true $url /x
E
ok run b sh -c 'cat /x/file; ! grep -rE "sesame|Authorization" /x'
printf 'FROM localhost/busybox\nADD %s /x\n' "$url" >C
expect_exit 125 minke build --no-cache --network none -f C empty
assert_match 'git fetch HEAD' "$err"
expect_exit 125 minke build --no-cache --network none --secret id=GIT_AUTH_TOKEN.elsewhere,env=TOKEN -f C empty
nothing_staged

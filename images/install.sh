#!/bin/sh
# What the RUN lines of an image do, the same under BuildKit and the classic builder.
#
#   install.sh tools DIR                  put the pinned uv into DIR
#   install.sh system NAME..              install Debian packages
#   install.sh packages DIR FILE [ARG..]  install FILE with the uv in DIR, verifying hashes, and compile bytecode
#
# Proxies, mirrors and a company's certificates reach the build as BuildKit secrets, or (see runner/images/network.py)
# in the one kind of build argument that the classic builder neither records nor caches. None stay in a layer.
set -eu

secrets=/run/secrets
if [ -n "${FTP_PROXY:-}" ]; then
  secrets=$(mktemp -d)
  trap 'rm -rf "$secrets"' EXIT
  python3 - "$secrets" <<'PYTHON'
import base64, json, lzma, os, sys
packed = "".join(os.environ.get(name, "") for name in ("FTP_PROXY", "ftp_proxy", "ALL_PROXY", "all_proxy"))
for name, content in json.loads(lzma.decompress(base64.b64decode(packed))).items():
    with open(os.path.join(sys.argv[1], name), "w") as file:
        file.write(content)
PYTHON
  unset FTP_PROXY ftp_proxy ALL_PROXY all_proxy
fi
if [ -f "$secrets/network" ]; then
  . "$secrets/network"
fi
if [ -s "$secrets/certificates" ]; then
  export SSL_CERT_FILE="$secrets/certificates" PIP_CERT="$secrets/certificates"
fi

what=$1
shift

bootstrap() {
  python3 -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --no-deps --require-hashes --only-binary :all: --target "$tools" --requirement /build/uv.txt
}

case $what in
  system)
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install --no-install-recommends "$@" >/dev/null
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
    ;;
  tools)
    tools=$1
    bootstrap
    ;;
  packages)
    tools=$1 file=$2
    shift 2
    borrowed=
    if [ ! -x "$tools/bin/uv" ]; then
      borrowed=$tools
      bootstrap
    fi
    if [ -d /var/cache/uv ]; then
      cache="--cache-dir /var/cache/uv --link-mode copy"
    else
      cache="--no-cache"
    fi
    # the line to the index may be slow or flaky: a wheel can have 1 GB
    UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-120} UV_HTTP_RETRIES=${UV_HTTP_RETRIES:-5} \
      "$tools/bin/uv" pip install --quiet --system --break-system-packages $cache --compile-bytecode \
      --no-deps --require-hashes --only-binary :all: "$@" --requirement "$file"
    # C++ headers of TensorFlow and PyTorch: 10,000 files for compiling, which only a compiler needs
    if ! command -v g++ >/dev/null; then
      site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
      rm -rf "$site/tensorflow/include" "$site/torch/include"
    fi
    if [ -n "$borrowed" ]; then
      rm -rf "$borrowed"
    fi
    ;;
esac

# tensorflow-2.18.1_keras-3.3.3_py3.11_cpu_linux-x86_64_x9beb8086
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
LABEL org.keras-version-matrix="image"
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=company.txt,target=/build/company.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/company.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=keras.txt,target=/build/keras.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/keras.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix tensorflow-2.18.1_keras-3.3.3_py3.11_cpu_linux-x86_64_x9beb8086" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="tensorflow-2.18.1_keras-3.3.3_py3.11_cpu_linux-x86_64_x9beb8086" \
      org.keras-version-matrix.framework="tensorflow" \
      org.keras-version-matrix.version="2.18.1" \
      org.keras-version-matrix.keras="3.3.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="be086a20dab47295918f709b843f602409346900667db77edae5a8cccb5685d3" \
      org.keras-version-matrix.template="f91a89c3917f8432423cfc1725abd215eedaac9a976cd61bb067948d57bdc05e" \
      org.keras-version-matrix.content="e6f65d5cf76102ae24f36b0fa4cb1b227b750367533af80c9b43f2ddeece8fc6" \
      org.keras-version-matrix.layer="b452850696ba34e664fa36bf91ad60e91adc9cce943ffe2dc24229fcec93fd0f"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532

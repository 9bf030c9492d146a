# jax-0.7.2_keras-3.8.0_py3.11_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
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
      org.opencontainers.image.title="keras-version-matrix jax-0.7.2_keras-3.8.0_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="jax-0.7.2_keras-3.8.0_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="jax" \
      org.keras-version-matrix.version="0.7.2" \
      org.keras-version-matrix.keras="3.8.0" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="4bb0b1c6d91593c77a8e486c60b2f598f5c946679f1a693d22e40cf6f3a8e591" \
      org.keras-version-matrix.template="f05cedf4eb7ec2b40529d97c33d4a023db23165704a468bc0518b488deb906cd" \
      org.keras-version-matrix.content="6d98990e6ea150f1b5bacaf30b5d616266d8f559a9ef407ef2ab57e15b0baa59" \
      org.keras-version-matrix.layer="41bb51f34d1d983474a7c1ee3220bd35bb6b7217cb6f69d83b0bacaf72ab53a3"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532

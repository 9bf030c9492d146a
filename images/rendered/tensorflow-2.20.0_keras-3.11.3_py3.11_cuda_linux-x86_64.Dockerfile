# tensorflow-2.20.0_keras-3.11.3_py3.11_cuda_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix tensorflow-2.20.0_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="tensorflow-2.20.0_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.keras-version-matrix.framework="tensorflow" \
      org.keras-version-matrix.version="2.20.0" \
      org.keras-version-matrix.keras="3.11.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cuda" \
      org.keras-version-matrix.lock="adb3d5fb9b865c3a5b73e0d2ad01fd5984e7ac36e5dac23edd719bc33b81dba6" \
      org.keras-version-matrix.template="f05cedf4eb7ec2b40529d97c33d4a023db23165704a468bc0518b488deb906cd" \
      org.keras-version-matrix.content="8258920fd100335e5967ca3a30d6ea054425f48463e8b3df1ccc0bcb1dcfd659" \
      org.keras-version-matrix.layer="5c03fa2249065e0a0f771456c174d35ef054332ee49eee6a5f361259591bc8c1"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532

# docker build -t bigbrotr .
# docker run --init -v bigbrotr:/var/lib/bigbrotr bigbrotr                     everything, on the embedded PostgreSQL
# docker run --init --no-healthcheck bigbrotr synchronizer --database postgres://…   one service, on a server
#   (or with `metrics: { enabled: true }` in its file: only `up` serves /readyz by default)
# Configuration, when the defaults are not wanted: -v ./config:/etc/bigbrotr/config:ro

ARG DEBIAN=bookworm-slim

FROM denoland/deno:bin-2.9.6 AS deno

FROM debian:${DEBIAN} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libsecp256k1-1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=deno /deno /usr/local/bin/deno
WORKDIR /src
COPY . .
RUN deno task compile

FROM debian:${DEBIAN}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libsecp256k1-1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --home-dir /var/lib/bigbrotr --create-home bigbrotr \
 && mkdir -p /etc/bigbrotr/config
COPY --from=build /src/dist/bigbrotr /usr/local/bin/bigbrotr
USER bigbrotr
# Configuration files are looked for in ./config.
WORKDIR /etc/bigbrotr
VOLUME /var/lib/bigbrotr
# /metrics, /healthz and /readyz; published only with `up.metrics.host: 0.0.0.0` in config/brotr.yaml.
EXPOSE 8000
# The image has no curl; bash speaks enough HTTP. 200 means: the database answers and every cycle is fresh.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200'"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["bigbrotr"]
CMD ["up", "--data-dir", "/var/lib/bigbrotr"]

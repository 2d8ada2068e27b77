# The gateway with its files, for clusters: docker build -f deploy/gateway.Dockerfile -t cheeper-gateway .
# Compose mounts the same files into Caddy's own image instead.
ARG CADDY_IMAGE=caddy:2.11
FROM ${CADDY_IMAGE}
COPY deploy/Caddyfile deploy/gateway-paths.caddy /etc/caddy/
COPY services/web /srv/web
COPY services/api-docs /srv/api-docs
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]

# Two stages make what the last one only holds: compiled JavaScript, production packages, migrations.
# Nothing is installed, compiled or written at run time. The embedded PostgreSQL stays out (--omit=optional):
# the image needs DATABASE_URL.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# No shell, no package manager; its entry point is node.
FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY package.json ./
COPY migrations ./migrations
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
ENV HOST=0.0.0.0 PORT=8080 DRAIN_SECONDS=5
USER 65532:65532
EXPOSE 8080
CMD ["--disable-proto=delete", "--max-semi-space-size=8", "dist/src/main.js"]

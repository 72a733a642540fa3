# One image per service: docker build --build-arg SERVICE=AuditSaga .
ARG SERVICE

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG SERVICE
WORKDIR /src
ENV NUGET_PACKAGES=/nuget npm_config_cache=/npm-cache
# The pages take their scripts from npm; the other services do not need Node.js.
RUN if [ "$SERVICE" = Dashboard ]; then apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*; fi
# What a restore needs, so that the layer lasts until a package changes.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY contracts/Contracts/Contracts.csproj contracts/Contracts/
COPY contracts/Contracts.Internal/Contracts.Internal.csproj contracts/Contracts.Internal/
COPY building-blocks/EntityFrameworkIntegration/EntityFrameworkIntegration.csproj building-blocks/EntityFrameworkIntegration/
COPY building-blocks/PublicSuffix/PublicSuffix.csproj building-blocks/PublicSuffix/
COPY building-blocks/ServiceDefaults/ServiceDefaults.csproj building-blocks/ServiceDefaults/
COPY services/${SERVICE}/${SERVICE}.csproj services/${SERVICE}/
RUN --mount=type=cache,target=/nuget dotnet restore services/${SERVICE}/${SERVICE}.csproj --use-current-runtime -p:PublishReadyToRun=true
COPY contracts contracts
COPY building-blocks building-blocks
COPY services/${SERVICE} services/${SERVICE}
COPY docs/accuracy.md docs/
# Compiled ahead: a service that starts compiles tens of thousands of methods otherwise, just when its queues are fullest.
RUN --mount=type=cache,target=/nuget --mount=type=cache,target=/npm-cache \
    dotnet publish services/${SERVICE}/${SERVICE}.csproj -c Release -o /app --use-current-runtime --no-self-contained -p:PublishReadyToRun=true

FROM mcr.microsoft.com/dotnet/aspnet:10.0
ARG SERVICE
ENV SERVICE=${SERVICE} ASPNETCORE_HTTP_PORTS=8080 Logging__Format=json DOTNET_EnableDiagnostics=0
WORKDIR /app
COPY --from=build /app .
USER app
EXPOSE 8080
ENTRYPOINT ["sh", "-c", "exec dotnet Assay.${SERVICE}.dll"]

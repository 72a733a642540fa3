#!/usr/bin/env bash
# Builds and tests everything: restores the build tool, then runs build.cake. `./build.sh --target=UnitTest` needs no servers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
command -v dotnet >/dev/null || { echo "The .NET SDK 10 is missing: see https://dot.net" >&2; exit 1; }
command -v npm >/dev/null || { echo "Node.js 20 or later with npm is missing: the pages take their scripts from npm" >&2; exit 1; }
dotnet tool restore >/dev/null
exec dotnet cake build.cake "$@"

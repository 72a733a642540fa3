# Builds and tests everything: restores the build tool, then runs build.cake. `./build.ps1 --target=UnitTest` needs no servers.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$env:DOTNET_NOLOGO = '1'; $env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
dotnet tool restore | Out-Null
if ($LASTEXITCODE) { exit $LASTEXITCODE }
dotnet cake build.cake @args
exit $LASTEXITCODE

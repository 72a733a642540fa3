namespace Assay.TestServers;

/// <summary>A server that these tests start themselves is not installed on this machine.</summary>
public sealed class ServerMissingException(string server, string debianPackage, string searched) : Exception(
    $"{server} was not found in {searched}. On Debian or Ubuntu: 'apt-get install {debianPackage}' (./build.sh does it where it may). " +
    "'./build.sh --target=UnitTest' runs every test that needs no server.");

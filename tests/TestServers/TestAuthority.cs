namespace Assay.TestServers;

/// <summary>Certificates made by openssl in a folder of their own: an authority that signed a server's certificate for 127.0.0.1, and one that did not.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("assay-tls");

    private TestAuthority()
    {
    }

    /// <summary>Holds <c>ca.pem</c>, <c>server.pem</c> and <c>server.key</c>.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The authority that signed the server's certificate.</summary>
    public string Signer => In("ca.pem");

    /// <summary>An authority that signed nothing.</summary>
    public string Other => In("other.pem");

    /// <summary>A file that is no certificate.</summary>
    public string NoCertificate => In("names");

    public static async Task<TestAuthority> CreateAsync()
    {
        var authority = new TestAuthority();
        await authority.MakeAuthorityAsync("ca");
        await authority.MakeAuthorityAsync("other");
        await File.WriteAllTextAsync(authority.NoCertificate, "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
        await authority.OpenSslAsync("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", authority.In("server.key"), "-out", authority.In("server.csr"));
        await authority.OpenSslAsync("x509", "-req", "-in", authority.In("server.csr"), "-CA", authority.Signer, "-CAkey", authority.In("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", authority.NoCertificate, "-out", authority.In("server.pem"));
        return authority;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string In(string name) => Path.Combine(Folder, name);

    private Task MakeAuthorityAsync(string name) =>
        OpenSslAsync("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", $"/CN=assay {name}", "-keyout", In($"{name}.key"), "-out", In($"{name}.pem"));

    private Task OpenSslAsync(params string[] arguments) => ServerProcess.RunAsync("openssl", arguments, Folder, Bound);
}

using System.Security.Cryptography;
using System.Text;

namespace Assay.Dashboard.Access;

/// <summary>Random tokens and their hashes. 256 random bits need no salt and no slow hash.</summary>
static class Secrets
{
    public static string New() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}

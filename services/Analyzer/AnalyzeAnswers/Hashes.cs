using System.Security.Cryptography;
using System.Text;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>Text hashes as the ledger writes them.</summary>
static class Hashes
{
    /// <summary>SHA-256 of the text in UTF-8, lower-case hex.</summary>
    public static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

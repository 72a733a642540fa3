using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Assay.Analyzer.Advisor;

/// <summary>The machine-readable block of a prompt for the advisor.</summary>
static class AdvisorInput
{
    /// <summary>The configured name of the engine that plans panels and drafts insights.</summary>
    public const string Engine = "advisor";

    const string Opening = "<<<assay-input";
    const string Closing = "assay-input>>>";

    // The default encoder escapes < and >, so nothing inside the data can look like the end of the block.
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Block<T>(T input) => $"{Opening}\n{JsonSerializer.Serialize(input, Options)}\n{Closing}";
}

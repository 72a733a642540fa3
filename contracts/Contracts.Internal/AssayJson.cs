using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Assay.Contracts.Internal;

/// <summary>How JSON is written and read everywhere outside the bus: files, columns, REST.</summary>
public static class AssayJson
{
    /// <summary>camelCase, nulls written, unknown properties refused nowhere: contracts only add.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The same, indented, for files people open.</summary>
    public static JsonSerializerOptions Indented { get; } = new(Options) { WriteIndented = true };
}

using Assay.Embedded.Cli;

namespace Assay.Embedded.Engines;

/// <summary>One <c>--engine NAME=scripted|replay:FILE|openai:MODEL@URL</c>: settings that override the configuration of one engine.</summary>
public sealed record EngineOverride(string Name, IReadOnlyDictionary<string, string?> Settings)
{
    const string Form = "The form is --engine NAME=scripted, NAME=replay:FILE or NAME=openai:MODEL@URL.";

    /// <summary>Parses one value of the option. Paths are relative to <paramref name="folder"/>.</summary>
    /// <exception cref="CommandError">The value does not have one of the three forms, or the file is missing.</exception>
    public static EngineOverride Parse(string text, string folder)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? "" : text[..equals].Trim();
        if (name.Length == 0)
            throw CommandError.BadInput($"--engine {text} does not name an engine.", Form);
        if (name.Contains(':', StringComparison.Ordinal) || name.Contains("__", StringComparison.Ordinal))
            throw CommandError.BadInput($"--engine {text}: an engine's name holds neither ':' nor '__', they separate settings.", Form);

        var value = text[(equals + 1)..].Trim();
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var kind = colon < 0 ? value : value[..colon];
        var rest = colon < 0 ? "" : value[(colon + 1)..];
        return kind switch
        {
            "scripted" when rest.Length == 0 => Create(name, ("Kind", "scripted")),
            "replay" => Create(name, ("Kind", "replay"), ("Path", ExistingFile(rest, folder, text))),
            "openai" => OpenAi(name, rest, text),
            _ => throw CommandError.BadInput($"--engine {text}: '{value}' is not an engine.", Form),
        };
    }

    static EngineOverride OpenAi(string name, string rest, string text)
    {
        // The model may hold an @ (deployments, digests); the address is what follows the last one before its scheme.
        var at = rest.LastIndexOf("@http", StringComparison.OrdinalIgnoreCase);
        if (at <= 0)
            throw CommandError.BadInput($"--engine {text} needs a model and an http(s) address.", "For example --engine chatgpt=openai:gpt-4o-mini@https://api.openai.com/v1.");
        var url = rest[(at + 1)..];
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
            throw CommandError.BadInput($"--engine {text}: {url} is not an http(s) address.", "For example https://api.openai.com/v1.");
        return Create(name, ("Kind", "openai"), ("Model", rest[..at]), ("BaseUrl", url));
    }

    static string ExistingFile(string path, string folder, string text)
    {
        if (path.Length == 0)
            throw CommandError.BadInput($"--engine {text} does not name the file of recorded answers.", Form);
        var full = Path.GetFullPath(path, folder);
        return File.Exists(full) ? full : throw CommandError.BadInput($"--engine {text}: there is no file {full}.", "Paths are relative to the folder the command is called in.");
    }

    static EngineOverride Create(string name, params (string Key, string Value)[] settings) =>
        new(name, settings.ToDictionary(s => $"Engines:{name}:{s.Key}", s => (string?)s.Value, StringComparer.OrdinalIgnoreCase));
}

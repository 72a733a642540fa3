using System.CommandLine;
using Assay.Embedded.DataDirectories;
using Assay.Embedded.Engines;

namespace Assay.Embedded.Cli;

/// <summary>The options that say which system a command talks to; the same on every command.</summary>
sealed class SystemOptions
{
    public Option<string?> Data { get; } = new("--data") { Description = $"Folder of the embedded system's data (default: {DataDirectory.DefaultName} here, or ASSAY_DATA)", HelpName = "DIR", Recursive = true };

    public Option<string?> Url { get; } = new("--url") { Description = "Address of a system elsewhere (or ASSAY_URL)", HelpName = "URL", Recursive = true };

    public Option<string?> Key { get; } = new("--key") { Description = "Access key of that system (or ASSAY_KEY)", HelpName = "KEY", Recursive = true };

    public void AddTo(RootCommand root)
    {
        root.Options.Add(Data);
        root.Options.Add(Url);
        root.Options.Add(Key);
    }

    public SystemChoice Read(ParseResult parsed, CliContext cli, IReadOnlyList<EngineOverride>? engines = null)
    {
        var url = parsed.GetValue(Url) ?? Setting("ASSAY_URL");
        if (url is not null && (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")))
            throw CommandError.BadInput($"--url {url} is not an http(s) address.", "For example --url http://127.0.0.1:5080.");
        if (url is not null && parsed.GetValue(Data) is not null)
            throw CommandError.BadInput("--url and --data cannot both be given.", "--data is a folder here, --url a system that keeps its own data.");
        if (url is not null && engines is { Count: > 0 })
            throw CommandError.BadInput("--engine changes the embedded system only.", $"Configure the engines of {url} by its settings Engines__NAME__Kind and so on.");
        return new SystemChoice(url is null ? null : new Uri(url.EndsWith('/') ? url : url + "/"), parsed.GetValue(Key) ?? Setting("ASSAY_KEY"),
            DataDirectory.Resolve(parsed.GetValue(Data), cli.Folder), engines ?? []);
    }

    static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

/// <summary>Which system a command talks to.</summary>
/// <param name="Url">A system elsewhere; null for the embedded one.</param>
/// <param name="Key">The access key given for it.</param>
/// <param name="DataPath">Absolute path of the embedded system's data.</param>
/// <param name="Engines">Settings that override the embedded system's engines.</param>
sealed record SystemChoice(Uri? Url, string? Key, string DataPath, IReadOnlyList<EngineOverride> Engines);

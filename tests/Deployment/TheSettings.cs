using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>docs/settings.md lists every setting with unit and default; it is generated from the options classes, their doc comments and the engines' table, and held against the code.</summary>
public sealed partial class TheSettings
{
    static readonly (string Section, Type Type, string File, string Of)[] Options =
    [
        ("RabbitMq", typeof(ServiceDefaults.RabbitMqOptions), "building-blocks/ServiceDefaults/Messaging/RabbitMqOptions.cs", "every service"),
        ("Messaging", typeof(ServiceDefaults.MessagingOptions), "building-blocks/ServiceDefaults/Messaging/MessagingOptions.cs", "every service"),
        ("AuditSaga", typeof(AuditSaga.AuditSagaOptions), "services/AuditSaga/AuditSagaOptions.cs", "the saga"),
        ("LlmGateway", typeof(LlmGateway.LlmGatewayOptions), "services/LlmGateway/LlmGatewayOptions.cs", "the gateway"),
        ("Analyzer:Judge", typeof(Analyzer.JudgeAnswers.JudgeOptions), "services/Analyzer/JudgeAnswers/JudgeOptions.cs", "the analyzer"),
        ("Dashboard", typeof(Dashboard.DashboardOptions), "services/Dashboard/DashboardModule.cs", "the dashboard"),
        ("Dashboard:Oidc", typeof(Dashboard.Access.OidcOptions), "services/Dashboard/Access/OidcOptions.cs", "the dashboard"),
    ];

    /// <summary>Found out at start, or set under another name: not for the operator.</summary>
    static readonly HashSet<string> NotSet = ["Messaging:CutRedelivery", "Dashboard:StallTimeout"];

    /// <summary>What is read one by one, outside an options class.</summary>
    static readonly (string Key, string Unit, string Default, string Means)[] Single =
    [
        ("ConnectionStrings:AuditSaga", "text", "–", "The saga's PostgreSQL database. TLS: `SSL Mode=VerifyFull;Root Certificate=FILE`."),
        ("ConnectionStrings:LlmGateway", "text", "–", "The gateway's."),
        ("ConnectionStrings:Analyzer", "text", "–", "The analyzer's."),
        ("ConnectionStrings:Dashboard", "text", "–", "The dashboard's."),
        ("Metrics:Key", "text", "–", "Bearer key of `/metrics` for callers from other machines; without one only this machine may read."),
        ("Metrics:KeyFile", "file", "–", "A file that holds it."),
        ("Logging:Format", "`text`, `json`", "text", "`json` writes one object a line."),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "URL", "–", "Where traces and metrics go; the other `OTEL_…` settings of the SDK hold too."),
        ("OTEL_TRACES_SAMPLER", "name", "all but polling", "Which traces are kept, as the SDK names them; set, it takes the place of Assay's own choice, which drops those that begin with a service looking for work."),
        ("ASPNETCORE_URLS", "URL", "http://localhost:5000", "Where the service listens."),
        ("Prices:N:Model", "text", "–", "A price for all engines of this model; N counts from 0."),
        ("Prices:N:Host", "text", "any", "The one seller it is for."),
        ("Prices:N:EffectiveFrom", "yyyy-MM-dd", "–", "The first day of the price."),
        ("Prices:N:InputUsdPerMTok", "US dollars", "–", "A million tokens in."),
        ("Prices:N:OutputUsdPerMTok", "US dollars", "–", "A million tokens out."),
        ("Prices:N:RequestUsd", "US dollars", "0", "A request."),
        ("Prices:N:SearchUsd", "US dollars", "0", "A web search."),
    ];

    [Fact]
    public async Task Should_list_every_setting_with_unit_and_default()
    {
        var path = Path.Combine(SharedFolder.RepositoryRoot, "docs", "settings.md");
        var generated = await GenerateAsync();
        if (Environment.GetEnvironmentVariable("ASSAY_APPROVE") == "1")
            await File.WriteAllTextAsync(path, generated);
        (await File.ReadAllTextAsync(path)).ShouldBe(generated, "docs/settings.md is out of date: run this test with ASSAY_APPROVE=1 and read the difference");
    }

    [Fact]
    public async Task Should_know_every_section_that_the_code_reads()
    {
        var known = Options.Select(options => options.Section).Concat(Single.Select(one => one.Key)).Concat(["Engines", "Prices", "AuditSaga:StallTimeout"]).ToHashSet(StringComparer.Ordinal);
        var read = new List<string>();
        foreach (var file in new[] { "services", "building-blocks" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SharedFolder.RepositoryRoot, folder), "*.cs", SearchOption.AllDirectories)))
            if (!file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
                read.AddRange(Reads().Matches(await File.ReadAllTextAsync(file)).Select(match => match.Groups["key"].Value));
        read.Count.ShouldBeGreaterThan(5);
        // A single setting of an options class may be read before the class is bound.
        read.Where(key => !known.Contains(key) && !Options.Any(options => key.StartsWith($"{options.Section}:", StringComparison.Ordinal) && options.Type.GetProperty(key[(options.Section.Length + 1)..]) is not null)).Distinct(StringComparer.Ordinal)
            .ShouldBeEmpty("the code reads settings that docs/settings.md does not list: add them to TheSettings");

        var bound = Directory.EnumerateFiles(Path.Combine(SharedFolder.RepositoryRoot, "services"), "*Options.cs", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(SharedFolder.RepositoryRoot, "building-blocks", "ServiceDefaults"), "*Options.cs", SearchOption.AllDirectories))
            .Select(Path.GetFileName);
        bound.Except(Options.Select(options => Path.GetFileName(options.File)), StringComparer.Ordinal).ShouldBeEmpty("an options class that TheSettings does not list");
    }

    static async Task<string> GenerateAsync()
    {
        var text = new StringBuilder("""
            # Settings

            Generated from the code (`tests/Deployment`, `ASSAY_APPROVE=1`). In the environment a `:` is written `__`. Time spans are `hh:mm:ss`, or `d.hh:mm:ss`; a setting that cannot be used stops the service at start with its name.

            ## Read one by one

            | Setting | Unit | Default | Means |
            | --- | --- | --- | --- |

            """);
        foreach (var (key, unit, standard, means) in Single)
            text.Append(Row(key, unit, standard, means));
        foreach (var (section, type, file, of) in Options)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Replace(":", "__", StringComparison.Ordinal)}: {of}\n\n| Setting | Unit | Default | Means |\n| --- | --- | --- | --- |\n");
            var source = await File.ReadAllLinesAsync(Path.Combine(SharedFolder.RepositoryRoot, file));
            var defaults = Activator.CreateInstance(type)!;
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            {
                if (NotSet.Contains($"{section}:{property.Name}") || Options.Any(options => options.Type == property.PropertyType))
                    continue;
                text.Append(Row($"{section}:{property.Name}", UnitOf(property), Show(property.GetValue(defaults)), Documented(source, property, file)));
            }
        }

        text.Append("\n## Engines__NAME: the gateway\n\nOne section for each engine; the same table with more words is in [the engines' README](../services/LlmGateway/Engines/README.md).\n\n| Setting | Default | Means |\n| --- | --- | --- |\n");
        var readme = await File.ReadAllLinesAsync(Path.Combine(SharedFolder.RepositoryRoot, "services", "LlmGateway", "Engines", "README.md"));
        var known = (string[])typeof(LlmGateway.LlmGatewayOptions).Assembly.GetType("Assay.LlmGateway.Engines.EngineSettings", throwOnError: true)!
            .GetField("Known", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        foreach (var setting in known)
        {
            var cells = (readme.FirstOrDefault(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Split('|')[1].Contains($"`{setting}`", StringComparison.Ordinal))
                ?? throw new InvalidOperationException($"services/LlmGateway/Engines/README.md has no row for the engine setting {setting}; write one.")).Split('|');
            var names = cells[1].Split(',', StringSplitOptions.TrimEntries);
            var defaults = cells[2].Split(',', StringSplitOptions.TrimEntries);
            // "`MinLatency`, `MaxLatency` | 5 ms, 30 ms": to each its own.
            var standard = names.Length > 1 && names.Length == defaults.Length ? defaults[Array.IndexOf(names, $"`{setting}`")] : cells[2].Trim();
            text.Append(CultureInfo.InvariantCulture, $"| `Engines__NAME__{setting}` | {standard} | {cells[3].Trim()} |\n");
        }

        return text.ToString();
    }

    static string Row(string key, string unit, string standard, string means) => $"| `{key.Replace(":", "__", StringComparison.Ordinal)}` | {unit} | {standard} | {means} |\n";

    static string Show(object? value) => value switch
    {
        null or "" => "–",
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        IEnumerable<TimeSpan> spans => string.Join(',', spans.Select(span => span.ToString("c", CultureInfo.InvariantCulture))),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    static string UnitOf(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var unit = property.Name switch
        {
            var name when name.EndsWith("File", StringComparison.Ordinal) => "file",
            var name when name.EndsWith("Usd", StringComparison.Ordinal) => "US dollars",
            var name when name.EndsWith("Bytes", StringComparison.Ordinal) => "bytes",
            var name when name.EndsWith("Tokens", StringComparison.Ordinal) => "tokens",
            var name when name.EndsWith("Ratio", StringComparison.Ordinal) => "share, 0–1",
            _ when type == typeof(TimeSpan) => "time span",
            _ when typeof(IEnumerable<TimeSpan>).IsAssignableFrom(type) => "time spans, with commas",
            _ when type == typeof(bool) => "true, false",
            _ when type == typeof(ushort) || type == typeof(int) || type == typeof(long) => "whole number",
            _ when type == typeof(double) || type == typeof(decimal) => "number",
            _ when type == typeof(string) => "text",
            _ => throw new InvalidOperationException($"{property.DeclaringType!.Name}.{property.Name} is a {type.Name}: TheSettings has no unit for it."),
        };
        return property.GetCustomAttribute<RangeAttribute>() is { } range ? string.Create(CultureInfo.InvariantCulture, $"{unit}, {range.Minimum}–{range.Maximum}") : unit;
    }

    /// <summary>The summary above a property in its source file.</summary>
    static string Documented(string[] source, PropertyInfo property, string file)
    {
        var declared = Array.FindIndex(source, line => line.StartsWith("    public ", StringComparison.Ordinal) && line.Contains($" {property.Name} {{ get;", StringComparison.Ordinal));
        var lines = new List<string>();
        for (var above = declared - 1; above >= 0; above--)
        {
            var line = source[above].Trim();
            if (line.StartsWith("///", StringComparison.Ordinal))
                lines.Insert(0, line[3..].Trim());
            else if (!line.StartsWith('['))
                break;
        }

        var summary = Summary().Match(string.Join(' ', lines)).Groups["text"].Value.Trim();
        summary.ShouldNotBeEmpty($"{file}: the setting {property.Name} has no summary; write one, with what it does.");
        return Tags().Replace(summary, match => $"`{match.Groups["name"].Value}`").Replace("|", "\\|", StringComparison.Ordinal);
    }

    [GeneratedRegex("<summary>(?<text>.*)</summary>", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Summary();

    [GeneratedRegex("<see cref=\"(?<name>[^\"]+)\"/>|<c>(?<name>[^<]*)</c>", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Tags();

    [GeneratedRegex("(Configuration\\[|GetSection\\(|(?<!Try)GetValue(<\\w+>)?\\()\"(?<key>[A-Za-z_:]+)\"", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Reads();
}

using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>docs/scale.md promises nothing that it does not label.</summary>
public sealed class TheScaleDocument
{
    static readonly string[] Labels = ["(measured", "(estimate)", "(from the code)"];

    [Fact]
    public async Task Should_say_of_every_number_whether_it_was_measured()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(SharedFolder.RepositoryRoot, "docs", "scale.md"));
        var claims = lines.Where((line, index) => line.Any(char.IsAsciiDigit) && !line.StartsWith('#') && !(line.StartsWith('|') && index + 1 < lines.Length && lines[index + 1].StartsWith("| ---", StringComparison.Ordinal))).ToList();
        claims.Count.ShouldBeGreaterThan(20);
        claims.Where(line => !Labels.Any(label => line.Contains(label, StringComparison.Ordinal))).ShouldBeEmpty("lines of docs/scale.md with numbers and no label: (measured), (from the code) or (estimate)");
    }

    [Fact]
    public async Task Should_name_only_commands_that_exist()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(SharedFolder.RepositoryRoot, "docs", "scale.md"));
        foreach (var file in text.Split('`').Where((_, index) => index % 2 == 1).SelectMany(code => code.Split(' ')).Where(word => word.EndsWith(".mjs", StringComparison.Ordinal) || word.EndsWith(".cs", StringComparison.Ordinal)))
            (File.Exists(Path.Combine(SharedFolder.RepositoryRoot, file)) || File.Exists(Path.Combine(SharedFolder.RepositoryRoot, "tests", "Deployment", file))).ShouldBeTrue($"docs/scale.md names {file}");
    }
}

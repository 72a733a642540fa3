using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>
/// docs/dependencies.md lists what the product is made of and what builds and tests it, with licences: generated from what was restored
/// (NuGet: nuspec, npm: package.json), and held against it, so that a new dependency or another licence is a decision.
/// </summary>
public sealed partial class TheDependencies
{
    /// <summary>Licences that this product may be shipped, built and tested with. Another one needs somebody who reads it.</summary>
    static readonly HashSet<string> Accepted =
    [
        "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "PostgreSQL", "MPL-2.0", "Apache-2.0 OR MPL-2.0", "Public domain", "HPND",
    ];

    /// <summary>Packages that state no expression; somebody read the text that lies in the package.</summary>
    static readonly Dictionary<string, string> ReadByHand = new(StringComparer.Ordinal)
    {
        ["SourceGear.sqlite3"] = "Public domain",
        ["xunit.abstractions"] = "Apache-2.0",
        ["htmx-ext-sse"] = "0BSD",
    };

    /// <summary>Tools that are restored only when they are used, with the file that pins their version.</summary>
    static readonly (string Name, string File, string Version, string Licence)[] Tools =
    [
        ("Cake.Tool", ".config/dotnet-tools.json", "\"cake.tool\": \\{ \"version\": \"(?<version>[0-9.]+)\"", "MIT"),
        ("Microsoft.EntityFrameworkCore.Design", "build/Migrations/Migrations.csproj", "<DesignVersion>(?<version>[0-9.]+)<", "MIT"),
        ("Humanizer.Core", "build/Migrations/Migrations.csproj", "<HumanizerVersion>(?<version>[0-9.]+)<", "MIT"),
    ];

    /// <summary>Data that lies in the repository.</summary>
    static readonly (string Name, string File, string Licence)[] Data =
    [
        ("Public Suffix List", "building-blocks/PublicSuffix/public_suffix_list.dat", "MPL-2.0"),
        ("SCOWL word list", "services/Analyzer/ReadAnswer/ordinary-words.txt", "HPND"),
    ];

    /// <summary>What docker-compose.yml starts beside our services: run, not shipped, so its licences bind whoever runs it.</summary>
    static readonly Dictionary<string, string> Images = new(StringComparer.Ordinal)
    {
        ["rabbitmq"] = "MPL-2.0", ["postgres"] = "PostgreSQL", ["otel/opentelemetry-collector"] = "Apache-2.0", ["prom/prometheus"] = "Apache-2.0", ["grafana/grafana"] = "AGPL-3.0-only",
    };

    static string Root => SharedFolder.RepositoryRoot;

    [Fact]
    public async Task Should_list_every_dependency_with_its_licence()
    {
        var path = Path.Combine(Root, "docs", "dependencies.md");
        var generated = await GenerateAsync();
        if (Environment.GetEnvironmentVariable("ASSAY_APPROVE") == "1")
            await File.WriteAllTextAsync(path, generated);
        (await File.ReadAllTextAsync(path)).ShouldBe(generated, "docs/dependencies.md is out of date: look at what is new and under which licence, then run this test with ASSAY_APPROVE=1");
    }

    [Fact]
    public async Task Should_accept_every_licence()
    {
        var all = (await NuGetAsync()).Concat(await NpmAsync()).ToList();
        all.Count.ShouldBeGreaterThan(50);
        all.Where(package => !Accepted.Contains(package.Licence)).Select(package => $"{package.Name} {package.Version}: {package.Licence}")
            .ShouldBeEmpty("licences that nobody has accepted: read them, then add them to Accepted, or leave the package away");
    }

    sealed record Package(string Name, string Version, string Licence, bool Shipped, bool Direct);

    static async Task<string> GenerateAsync()
    {
        var nuget = await NuGetAsync();
        var npm = await NpmAsync();
        var text = new StringBuilder("""
            # Dependencies

            Generated from what was restored (`tests/Deployment`, `ASSAY_APPROVE=1`); a new dependency, another version or another licence fails that test until somebody has looked. *Direct* is named by a project of ours, the rest comes with it. Assay itself is Apache-2.0; `Assay.Contracts` depends on nothing.

            """);
        Table("Shipped: NuGet", nuget.Where(package => package.Shipped));
        Table("Shipped: npm", npm.Where(package => package.Shipped));
        text.Append("\n## Shipped: data\n\n| Data | File | Licence |\n| --- | --- | --- |\n");
        foreach (var (name, file, licence) in Data)
        {
            File.Exists(Path.Combine(Root, file)).ShouldBeTrue(file);
            text.Append(CultureInfo.InvariantCulture, $"| {name} | `{file}` | {licence} |\n");
        }

        Table("Build and tests: NuGet", nuget.Where(package => !package.Shipped));
        Table("Build and tests: npm", npm.Where(package => !package.Shipped));
        text.Append("\n## Build: tools\n\nRestored when they are used; their licences are stated by hand.\n\n| Tool | Version | Licence | Pinned in |\n| --- | --- | --- | --- |\n");
        foreach (var (name, file, version, licence) in Tools)
        {
            var pinned = Regex.Match(await File.ReadAllTextAsync(Path.Combine(Root, file)), version, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
            pinned.Success.ShouldBeTrue($"{file} no longer pins {name} as TheDependencies expects");
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {pinned.Groups["version"].Value} | {licence} | `{file}` |\n");
        }

        text.Append("\n## Run beside: images of docker-compose.yml\n\nServers of their own, not part of the product. The images of our services are built on .NET's (MIT).\n\n| Image | Version | Licence |\n| --- | --- | --- |\n");
        foreach (var image in Image().Matches(await File.ReadAllTextAsync(Path.Combine(Root, "docker-compose.yml"))).Select(match => (Name: match.Groups["name"].Value, Version: match.Groups["version"].Value)).Distinct().OrderBy(image => image.Name, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| {image.Name} | {image.Version} | {Images.GetValueOrDefault(image.Name) ?? throw new InvalidOperationException($"docker-compose.yml starts {image.Name}: read its licence and add it to TheDependencies.Images.")} |\n");
        return text.ToString();

        void Table(string title, IEnumerable<Package> packages)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| Package | Version | Licence | |\n| --- | --- | --- | --- |\n");
            foreach (var package in packages.OrderBy(package => package.Name, StringComparer.OrdinalIgnoreCase).ThenBy(package => package.Version, StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"| {package.Name} | {package.Version} | {package.Licence} | {(package.Direct ? "direct" : "")} |\n");
        }
    }

    /// <summary>Every package that a project of the solution restored. Shipped is what brings code for run time to a project that is no test.</summary>
    static async Task<IReadOnlyList<Package>> NuGetAsync()
    {
        var found = new Dictionary<string, Package>(StringComparer.OrdinalIgnoreCase);
        var solution = XDocument.Load(Path.Combine(Root, "Assay.slnx"));
        foreach (var project in solution.Descendants("Project").Select(element => element.Attribute("Path")!.Value))
        {
            var file = Path.Combine(Root, Path.GetDirectoryName(project)!, "obj", "project.assets.json");
            using var assets = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            var folders = assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToList();
            var direct = assets.RootElement.GetProperty("project").GetProperty("frameworks").EnumerateObject()
                .SelectMany(framework => framework.Value.TryGetProperty("dependencies", out var dependencies) ? dependencies.EnumerateObject().Select(dependency => dependency.Name).ToList() : [])
                .ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var library in assets.RootElement.GetProperty("targets").EnumerateObject().SelectMany(target => target.Value.EnumerateObject()).Where(library => library.Value.GetProperty("type").GetString() == "package"))
            {
                var (name, version) = (library.Name[..library.Name.IndexOf('/', StringComparison.Ordinal)], library.Name[(library.Name.IndexOf('/', StringComparison.Ordinal) + 1)..]);
                var shipped = !project.StartsWith("tests/", StringComparison.Ordinal) && BringsCode(library.Value);
                found.TryGetValue(library.Name, out var known);
                found[library.Name] = new Package(name, version, known?.Licence ?? LicenceOf(name, folders, assets.RootElement.GetProperty("libraries").GetProperty(library.Name).GetProperty("path").GetString()!), shipped || known is { Shipped: true }, direct.Contains(name) || known is { Direct: true });
            }
        }

        return [.. found.Values];
    }

    static bool BringsCode(JsonElement library) => new[] { "runtime", "runtimeTargets" }.Any(kind => library.TryGetProperty(kind, out var files) && files.EnumerateObject().Any(file => !file.Name.EndsWith("/_._", StringComparison.Ordinal)));

    static string LicenceOf(string name, List<string> folders, string path)
    {
        var folder = folders.Select(root => Path.Combine(root, path)).FirstOrDefault(Directory.Exists) ?? throw new DirectoryNotFoundException($"The package {path} is not restored: build Assay.slnx first.");
        var nuspec = XDocument.Load(Directory.GetFiles(folder, "*.nuspec").Single());
        var licence = nuspec.Descendants().FirstOrDefault(element => element.Name.LocalName == "license");
        if (licence?.Attribute("type")?.Value == "expression")
            return licence.Value;
        return ReadByHand.GetValueOrDefault(name) ?? throw new InvalidOperationException($"The NuGet package {name} states no licence expression: read the licence in {folder} and add it to TheDependencies.ReadByHand.");
    }

    /// <summary>Every npm package in the lock files; what is no developer's dependency is copied into the pages.</summary>
    static async Task<IReadOnlyList<Package>> NpmAsync()
    {
        var found = new Dictionary<string, Package>(StringComparer.Ordinal);
        foreach (var folder in new[] { "services/Dashboard", "build/lint" }.Select(folder => Path.Combine(Root, folder)))
        {
            using var asked = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "package.json")));
            var direct = new[] { "dependencies", "devDependencies" }.SelectMany(kind => asked.RootElement.TryGetProperty(kind, out var names) ? names.EnumerateObject().Select(package => package.Name).ToList() : []).ToHashSet(StringComparer.Ordinal);
            using var locked = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "package-lock.json")));
            foreach (var entry in locked.RootElement.GetProperty("packages").EnumerateObject().Where(entry => entry.Name.Length > 0))
            {
                using var package = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, entry.Name, "package.json")));
                var name = entry.Name[(entry.Name.LastIndexOf("node_modules/", StringComparison.Ordinal) + "node_modules/".Length)..];
                var licence = package.RootElement.TryGetProperty("license", out var stated) ? stated.GetString()! : ReadByHand.GetValueOrDefault(name)
                    ?? throw new InvalidOperationException($"The npm package {name} states no licence: read the one in its folder and add it to TheDependencies.ReadByHand.");
                found[$"{name}@{package.RootElement.GetProperty("version").GetString()}"] = new Package(name, package.RootElement.GetProperty("version").GetString()!, licence, !(entry.Value.TryGetProperty("dev", out var dev) && dev.GetBoolean()), direct.Contains(name));
            }
        }

        return [.. found.Values];
    }

    [GeneratedRegex(@"^\s+image: (?<name>[^:\s]+):(?<version>\S+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Image();
}

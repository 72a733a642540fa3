using System.Xml.Linq;

namespace Assay.Architecture;

public sealed class ServicesAndTheirReferences
{
    static readonly string Root = FindRoot();

    static readonly string[] Services = ["AuditSaga", "LlmGateway", "Analyzer", "Dashboard"];

    [Theory]
    [InlineData("AuditSaga")]
    [InlineData("LlmGateway")]
    [InlineData("Analyzer")]
    [InlineData("Dashboard")]
    public void Should_not_reference_another_service(string service)
    {
        var references = ProjectReferencesOf($"services/{service}/{service}.csproj");

        references.Intersect(Services, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void Should_keep_the_public_contracts_free_of_every_dependency()
    {
        ProjectReferencesOf("contracts/Contracts/Contracts.csproj").ShouldBeEmpty();
        PackageReferencesOf("contracts/Contracts/Contracts.csproj").ShouldBeEmpty();
        typeof(Contracts.RequestAudit).Assembly.GetReferencedAssemblies().ShouldAllBe(name => name.Name!.StartsWith("System.", StringComparison.Ordinal) || name.Name == "netstandard");
    }

    [Fact]
    public void Should_let_building_blocks_know_no_service()
    {
        foreach (var project in Directory.EnumerateFiles(Path.Combine(Root, "building-blocks"), "*.csproj", SearchOption.AllDirectories))
            ProjectReferencesOf(Path.GetRelativePath(Root, project)).Intersect(Services, StringComparer.Ordinal).ShouldBeEmpty(project);
    }

    [Fact]
    public void Should_choose_transport_and_database_in_hosts_only()
    {
        // Modules know neither; only the places that compose them may name a provider or a transport.
        string[] names = ["UseNpgsql(", "UseSqlite(", "UsingRabbitMq(", "UsingInMemory("];
        var offenders =
            from file in SourceFiles("services")
            let text = File.ReadAllText(file)
            from name in names
            where text.Contains(name, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Root, file)}: {name}";

        offenders.ShouldBeEmpty();
    }

    [Fact]
    public void Should_keep_package_versions_in_one_place()
    {
        var offenders =
            from project in Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            where !project.Contains("node_modules", StringComparison.Ordinal) && !project.Contains("samples", StringComparison.Ordinal)
            from reference in XDocument.Load(project).Descendants("PackageReference")
            where reference.Attribute("Version") is not null
            select $"{Path.GetRelativePath(Root, project)}: {reference.Attribute("Include")?.Value}";

        offenders.ShouldBeEmpty();
    }

    [Fact]
    public void Should_keep_every_buss_usage_to_itself()
    {
        // MassTransit tells its makers of every bus that is not told not to: no service, sample or test may.
        var buses =
            (from folder in new[] { "building-blocks", "services", "embedded", "samples", "tests" }
             from file in SourceFiles(folder)
             let text = File.ReadAllText(file)
             where Path.GetExtension(file) == ".cs" && text.Contains(".Add" + "MassTransit(", StringComparison.Ordinal)
             select (File: Path.GetRelativePath(Root, file), IsQuiet: text.Contains("DisableUsageTelemetry()", StringComparison.Ordinal))).ToList();

        buses.ShouldNotBeEmpty();
        buses.Where(bus => !bus.IsQuiet).Select(bus => bus.File).ShouldBeEmpty();
    }

    [Fact]
    public void Should_name_no_machine_path_in_source()
    {
        string[] machinePaths = ["/wo" + "rk/", "/ro" + "ot/", "/home" + "/"];
        var offenders =
            from folder in new[] { "contracts", "building-blocks", "services", "embedded", "tests", "build", "docs" }
            where Directory.Exists(Path.Combine(Root, folder))
            from file in SourceFiles(folder)
            from path in machinePaths
            where File.ReadAllText(file).Contains(path, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Root, file)}: {path}";

        offenders.ShouldBeEmpty();
    }

    static IEnumerable<string> SourceFiles(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor" or ".md" or ".json" or ".sh" or ".csproj")
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules"));

    static List<string> ProjectReferencesOf(string project) =>
        [.. XDocument.Load(Path.Combine(Root, project)).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')))];

    static List<string> PackageReferencesOf(string project) =>
        [.. XDocument.Load(Path.Combine(Root, project)).Descendants("PackageReference").Select(reference => reference.Attribute("Include")!.Value)];

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Assay.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("Assay.slnx was not found above the test's folder.");
    }
}

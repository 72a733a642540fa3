using System.Text.Json;
using System.Xml.Linq;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>
/// The build switch <c>UseOfficialEntityFramework</c>. The package it names does not restore everywhere, so that what it does is not tested
/// here: only what the projects evaluate to, and that the seams compile against the names in the package's public documentation.
/// </summary>
public sealed class TheOfficialSwitch
{
    const string Block = "building-blocks/EntityFrameworkIntegration/EntityFrameworkIntegration.csproj";
    const string Package = "MassTransit.EntityFrameworkCore";

    [Fact]
    public async Task Should_change_nothing_while_it_is_off()
    {
        var off = await EvaluateAsync(Block);
        off.GetProperty("Properties").GetProperty("UseOfficialEntityFramework").GetString().ShouldBe("false");
        off.GetProperty("Properties").GetProperty("DefineConstants").GetString()!.ShouldNotContain("OFFICIAL");
        Items(off, "PackageReference").ShouldNotContain(Package);
        Items(off, "Compile").ShouldNotContain(file => file.StartsWith("Official", StringComparison.Ordinal));
        typeof(MassTransit.EntityFrameworkCoreIntegration.IDbContextOutbox<>).Assembly.GetTypes().ShouldNotContain(type => type.Namespace == "Assay.OfficialEntityFramework");
    }

    [Fact]
    public async Task Should_reference_the_package_and_compile_the_seams_when_it_is_on()
    {
        var on = await EvaluateAsync(Block, "-p:UseOfficialEntityFramework=true");
        var package = on.GetProperty("Items").GetProperty("PackageReference").EnumerateArray().Single(item => item.GetProperty("Identity").GetString() == Package);
        package.GetProperty("Aliases").GetString().ShouldBe("official", "its types have the names of ours");
        package.GetProperty("PrivateAssets").GetString().ShouldBe("compile", "nobody else compiles against it");
        Items(on, "Compile").Count(file => file.StartsWith("Official", StringComparison.Ordinal)).ShouldBe(1);
        Items(on, "PackageReference").ShouldContain("MassTransit");

        var defaults = await EvaluateAsync("building-blocks/ServiceDefaults/ServiceDefaults.csproj", "-p:UseOfficialEntityFramework=true");
        defaults.GetProperty("Properties").GetProperty("DefineConstants").GetString()!.Split(';').ShouldContain("OFFICIAL_ENTITY_FRAMEWORK");

        var versions = XDocument.Load(Path.Combine(SharedFolder.RepositoryRoot, "Directory.Packages.props")).Descendants("PackageVersion").ToDictionary(version => version.Attribute("Include")!.Value, version => version.Attribute("Version")!.Value, StringComparer.Ordinal);
        versions[Package].ShouldBe(versions["MassTransit"], "the package belongs to one version of MassTransit");
    }

    [Fact]
    public async Task Should_compile_the_seams_against_the_packages_documented_names()
    {
        var folder = Directory.CreateTempSubdirectory("assay-official-");
        try
        {
            var block = typeof(MassTransit.EntityFrameworkCoreIntegration.IDbContextOutbox<>).Assembly.Location;
            await WriteAsync("Directory.Build.props", "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings><NuGetAudit>false</NuGetAudit></PropertyGroup></Project>");
            await WriteAsync("Documented/Documented.csproj", $"""<Project Sdk="Microsoft.NET.Sdk"><ItemGroup>{References()}</ItemGroup></Project>""");
            await WriteAsync("Documented/Documented.cs", Documented);
            await WriteAsync("Seams/Seams.csproj", $"""
                <Project Sdk="Microsoft.NET.Sdk"><ItemGroup>{References()}<Reference Include="{block}" />
                <ProjectReference Include="../Documented/Documented.csproj" Aliases="official" />
                <Compile Include="{SharedFolder.RepositoryRoot}/building-blocks/EntityFrameworkIntegration/Official/*.cs" /></ItemGroup></Project>
                """);

            var (exitCode, output) = await Shell.RunAsync("dotnet", ["build", "Seams/Seams.csproj", "--nologo", "-v", "q"], folder: folder.FullName, limit: TimeSpan.FromMinutes(4));

            exitCode.ShouldBe(0, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        async Task WriteAsync(string name, string text)
        {
            var path = Path.Combine(folder.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, text);
        }
    }

    /// <summary>What the documentation of the package shows being called.</summary>
    const string Documented = """
        using Microsoft.EntityFrameworkCore;
        using Microsoft.EntityFrameworkCore.Metadata.Builders;
        namespace MassTransit
        {
            public interface IEntityFrameworkOutboxConfigurator { }
            public interface IEntityFrameworkSagaRepositoryConfigurator<TSaga> where TSaga : class, ISaga
            {
                ConcurrencyMode ConcurrencyMode { set; }
                void ExistingDbContext<TContext>() where TContext : DbContext;
            }
            public static class Extensions
            {
                public static void AddInboxStateEntity(this ModelBuilder model, System.Action<EntityTypeBuilder<EntityFrameworkCoreIntegration.InboxState>>? callback = null) { }
                public static void AddOutboxMessageEntity(this ModelBuilder model, System.Action<EntityTypeBuilder<EntityFrameworkCoreIntegration.OutboxMessage>>? callback = null) { }
                public static void AddOutboxStateEntity(this ModelBuilder model, System.Action<EntityTypeBuilder<EntityFrameworkCoreIntegration.OutboxState>>? callback = null) { }
                public static void AddEntityFrameworkOutbox<TDbContext>(this IBusRegistrationConfigurator bus, System.Action<IEntityFrameworkOutboxConfigurator>? configure = null) where TDbContext : DbContext { }
                public static IEntityFrameworkOutboxConfigurator UsePostgres(this IEntityFrameworkOutboxConfigurator outbox) => outbox;
                public static void UseEntityFrameworkOutbox<TDbContext>(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context) where TDbContext : DbContext { }
                public static ISagaRegistrationConfigurator<TSaga> EntityFrameworkRepository<TSaga>(this ISagaRegistrationConfigurator<TSaga> saga, System.Action<IEntityFrameworkSagaRepositoryConfigurator<TSaga>> configure) where TSaga : class, ISaga => saga;
                public static IEntityFrameworkSagaRepositoryConfigurator<TSaga> UsePostgres<TSaga>(this IEntityFrameworkSagaRepositoryConfigurator<TSaga> repository) where TSaga : class, ISaga => repository;
            }
        }
        namespace MassTransit.EntityFrameworkCoreIntegration
        {
            public class InboxState { }
            public class OutboxMessage { }
            public class OutboxState { }
        }
        """;

    static string References()
    {
        var versions = XDocument.Load(Path.Combine(SharedFolder.RepositoryRoot, "Directory.Packages.props")).Descendants("PackageVersion");
        return string.Concat(versions.Where(version => version.Attribute("Include")!.Value is "MassTransit" or "MassTransit.Abstractions" or "Microsoft.EntityFrameworkCore.Relational" or "Microsoft.EntityFrameworkCore"
                or "Microsoft.Extensions.Diagnostics.HealthChecks" or "Microsoft.Extensions.Hosting.Abstractions" or "Microsoft.Extensions.Logging.Abstractions" or "Microsoft.Extensions.Options")
            .Select(version => $"""<PackageReference Include="{version.Attribute("Include")!.Value}" Version="{version.Attribute("Version")!.Value}" />"""));
    }

    static async Task<JsonElement> EvaluateAsync(string project, params string[] more)
    {
        var (exitCode, output) = await Shell.RunAsync("dotnet", ["msbuild", project, "-getProperty:UseOfficialEntityFramework", "-getProperty:DefineConstants", "-getItem:PackageReference", "-getItem:Compile", "-p:Configuration=Release", .. more]);
        exitCode.ShouldBe(0, output);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    static IReadOnlyList<string> Items(JsonElement evaluated, string kind) => [.. evaluated.GetProperty("Items").GetProperty(kind).EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)];
}

using System.Reflection;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.Extensions.DependencyInjection;

// Writes the next migration of a service for both databases: Migrations SERVICE NAME REPOSITORY
if (args is not [var service, var name, var repository])
{
    await Console.Error.WriteLineAsync("usage: Migrations SERVICE NAME REPOSITORY, for example Migrations AuditSaga AddTombstones .");
    return 2;
}

var assembly = Assembly.Load($"Assay.{service}");
foreach (var (provider, useProvider) in new (string, Action<DbContextOptionsBuilder>)[]
{
    ("PostgreSql", options => options.UseAssayPostgres("Host=localhost")),
    ("Sqlite", options => options.UseAssaySqlite("Data Source=:memory:")),
})
{
    var contextType = assembly.GetTypes().Single(type => type.IsSubclassOf(typeof(AssayDbContext)) && !type.IsAbstract && type.Name.StartsWith(provider, StringComparison.Ordinal));
    var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(contextType))!;
    useProvider(options);
    await using var context = (DbContext)Activator.CreateInstance(contextType, options.Options)!;

    var services = new ServiceCollection();
    services.AddEntityFrameworkDesignTimeServices();
    services.AddDbContextDesignTimeServices(context);
    var providerAssembly = Assembly.Load(context.Database.ProviderName!);
    var designTime = providerAssembly.GetCustomAttribute<DesignTimeProviderServicesAttribute>()!.TypeName;
    ((IDesignTimeServices)Activator.CreateInstance(providerAssembly.GetType(designTime, throwOnError: true)!)!).ConfigureDesignTimeServices(services);
    await using var designServices = services.BuildServiceProvider();

    var scaffolder = designServices.GetRequiredService<IMigrationsScaffolder>();
    var folder = Path.Combine(repository, "services", service, "Migrations", provider);
    Directory.CreateDirectory(folder);
    var migration = scaffolder.ScaffoldMigration(name, $"Assay.{service}", $"Migrations.{provider}");
    foreach (var (path, code) in new[]
    {
        (Path.Combine(folder, migration.MigrationId + migration.FileExtension), migration.MigrationCode),
        (Path.Combine(folder, migration.MigrationId + ".Designer" + migration.FileExtension), migration.MetadataCode),
        (Path.Combine(folder, migration.SnapshotName + migration.FileExtension), migration.SnapshotCode),
    })
    {
        await File.WriteAllTextAsync(path, code.ReplaceLineEndings("\n"));
        Console.WriteLine(Path.GetRelativePath(repository, path));
    }
}

return 0;

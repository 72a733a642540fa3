namespace Assay.ServiceDefaults;

/// <summary>Which database a module uses, chosen by the host.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="ConnectionString">An ADO.NET connection string; it may hold a password and must not be logged.</param>
public sealed record AssayDatabase(DatabaseProvider Provider, string ConnectionString)
{
    /// <summary>A PostgreSQL database of the module's own.</summary>
    public static AssayDatabase PostgreSql(string connectionString) => new(DatabaseProvider.PostgreSql, connectionString);

    /// <summary>A SQLite file of the module's own.</summary>
    public static AssayDatabase Sqlite(string path) => new(DatabaseProvider.Sqlite, $"Data Source={path}");

    /// <summary>Never shows the connection string.</summary>
    public override string ToString() => Provider.ToString();
}

/// <summary>The databases Assay runs on.</summary>
public enum DatabaseProvider
{
    /// <summary>PostgreSQL 15 or later.</summary>
    PostgreSql,

    /// <summary>SQLite, for the embedded host: one process owns the file.</summary>
    Sqlite,
}

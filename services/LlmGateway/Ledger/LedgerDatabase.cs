using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.LlmGateway.Ledger;

/// <summary>The database of the ledger, for what needs a connection of its own.</summary>
sealed record LedgerDatabase(AssayDatabase Database)
{
    /// <summary>
    /// The database with plans by key: a flush names its calls and tries, and every join of the ledger ends at a primary key. On tables that
    /// nobody had counted yet a flush cost two and a half times as much.
    /// </summary>
    public static AssayDatabase Planned(AssayDatabase database) =>
        database.Provider == DatabaseProvider.PostgreSql ? database with { ConnectionString = AssayDatabaseOptionsExtensions.PlanByKey(database.ConnectionString) } : database;
}

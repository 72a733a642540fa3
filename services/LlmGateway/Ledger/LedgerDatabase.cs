using Assay.ServiceDefaults;

namespace Assay.LlmGateway.Ledger;

/// <summary>The database of the ledger, for what needs a connection of its own.</summary>
sealed record LedgerDatabase(AssayDatabase Database);

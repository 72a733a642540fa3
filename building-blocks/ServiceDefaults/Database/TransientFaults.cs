using System.Data.Common;

namespace Assay.ServiceDefaults;

/// <summary>Tells a database that is away for the moment from one that refuses.</summary>
public static class TransientFaults
{
    /// <summary>Whether the same attempt may succeed later. EF Core wraps what the database threw, so that the causes count too.</summary>
    public static bool IsTransient(this Exception exception) => exception is DbException { IsTransient: true } || exception.InnerException is { } inner && inner.IsTransient();
}

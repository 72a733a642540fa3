namespace Assay.Dashboard.Access;

/// <summary>What a key or session may do.</summary>
public static class Roles
{
    /// <summary>Reads.</summary>
    public const string Viewer = "viewer";

    /// <summary>Reads, requests, cancels and retries audits.</summary>
    public const string Producer = "producer";

    /// <summary>Everything.</summary>
    public const string Operator = "operator";

    internal static readonly string[] All = [Viewer, Producer, Operator];

    internal static string Checked(string role) => All.Contains(role, StringComparer.Ordinal)
        ? role
        : throw new ArgumentException($"There is no role '{role}'; use viewer, producer or operator.", nameof(role));
}

/// <summary>Who looks at a page: it shows no way to what the role does not permit.</summary>
sealed class Visitor(IHttpContextAccessor http)
{
    public bool MayProduce => Is(Roles.Producer) || MayOperate;

    public bool MayOperate => Is(Roles.Operator);

    bool Is(string role) => http.HttpContext?.User.IsInRole(role) == true;
}

static class Policies
{
    /// <summary>Any role, by key or session.</summary>
    public const string Read = "read";

    /// <summary>Producer or operator, by session: pages.</summary>
    public const string Produce = "produce";

    /// <summary>Operator, by session: pages.</summary>
    public const string Operate = "operate";

    /// <summary>Producer or operator, by key only: a cookie alone cannot act through the API.</summary>
    public const string ProduceByKey = "produceByKey";

    /// <summary>Operator, by key only.</summary>
    public const string OperateByKey = "operateByKey";
}

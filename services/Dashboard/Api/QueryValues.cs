using System.Globalization;

namespace Assay.Dashboard.Api;

/// <summary>A value of the query that cannot be read is named in the refusal; the framework alone would say 400 and no more.</summary>
static class QueryValues
{
    public static EndpointFilterDelegate Check(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        (string Name, Func<string, bool> CanRead, string Use)[] values = [.. context.MethodInfo.GetParameters().Where(parameter => parameter.Name is not null).Select(parameter =>
            parameter.ParameterType == typeof(int?) ? (parameter.Name!, IsNumber, "write a whole number")
            : parameter.ParameterType == typeof(Guid?) ? (parameter.Name!, IsId, "write an id (UUID)")
            : default((string, Func<string, bool>, string))).Where(value => value.Item1 is not null)];
        if (values.Length == 0)
            return next;
        return invocation =>
        {
            // Filters run although the binding failed; the endpoint itself does not.
            foreach (var (name, canRead, use) in values)
                if (invocation.HttpContext.Request.Query[name].ToString() is { Length: > 0 } text && !canRead(text))
                    return ValueTask.FromResult<object?>(Problems.BadInput(name, $"is '{Pages.Show.Short(text, 40)}'; {use}, or leave it out"));
            return next(invocation);
        };
    }

    static bool IsNumber(string text) => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _);

    static bool IsId(string text) => Guid.TryParse(text, out _);
}

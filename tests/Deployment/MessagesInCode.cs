using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.Deployment;

/// <summary>Which messages a service makes and which it takes, read from its assembly.</summary>
static class MessagesInCode
{
    public static readonly IReadOnlyDictionary<string, Assembly> Services = new Dictionary<string, Assembly>(StringComparer.Ordinal)
    {
        ["saga"] = typeof(AuditSaga.AuditSagaModule).Assembly,
        ["gateway"] = typeof(LlmGateway.LlmGatewayModule).Assembly,
        ["analyzer"] = typeof(Analyzer.AnalyzerModule).Assembly,
        ["dashboard"] = typeof(Dashboard.DashboardModule).Assembly,
    };

    /// <summary>Contract records the service makes: every one of which its code refers to a constructor, or to what <c>with</c> copies it by.</summary>
    public static IReadOnlySet<string> MadeBy(string service)
    {
        using var file = new PEReader(File.OpenRead(Services[service].Location));
        var metadata = file.GetMetadataReader();
        var made = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference || metadata.GetString(member.Name) is not (".ctor" or "<Clone>$"))
                continue;
            var type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent);
            if (metadata.GetString(type.Namespace) is { } name && name.StartsWith("Assay.Contracts", StringComparison.Ordinal))
                made.Add($"{name}:{metadata.GetString(type.Name)}");
        }

        return made;
    }

    /// <summary>Messages the service's consumers and state machines take, <c>Fault&lt;T&gt;</c> as <c>Fault:T</c>.</summary>
    public static IReadOnlySet<string> TakenBy(string service)
    {
        var taken = new SortedSet<string>(StringComparer.Ordinal);
        // What every host takes comes from the building blocks.
        foreach (var type in Services[service].GetTypes().Concat(typeof(AssayModule).Assembly.GetTypes()).Where(type => type is { IsAbstract: false, IsInterface: false }))
            taken.UnionWith(Taken(type));

        return taken;
    }

    /// <summary>The queues of the service's consumers and state machines.</summary>
    public static IReadOnlySet<string> QueuesOf(string service)
    {
        var names = KebabCaseEndpointNameFormatter.Instance;
        var queues = new SortedSet<string>(StringComparer.Ordinal) { names.SanitizeName(Services[service].GetName().Name!["Assay.".Length..]) + "-operations" };
        foreach (var type in Services[service].GetTypes().Where(type => type is { IsAbstract: false, IsInterface: false }))
        {
            if (type.IsAssignableTo(typeof(IConsumer)))
                queues.Add(NameBy(nameof(IEndpointNameFormatter.Consumer), type));
            else if (type.IsAssignableTo(typeof(SagaStateMachineInstance)))
                queues.Add(NameBy(nameof(IEndpointNameFormatter.Saga), type));
        }

        return queues;
    }

    /// <summary>Which message exchange leads to which queue.</summary>
    public static IReadOnlyList<(string Exchange, string Queue)> Bindings()
    {
        List<(string, string)> bindings = [];
        foreach (var service in Services.Keys)
        {
            foreach (var type in Services[service].GetTypes().Where(type => type is { IsAbstract: false, IsInterface: false }))
            {
                if (type.IsAssignableTo(typeof(IConsumer)))
                    bindings.AddRange(Taken(type).Select(message => (Exchange(message), NameBy(nameof(IEndpointNameFormatter.Consumer), type))));
                else if (type.IsAssignableTo(typeof(StateMachine)))
                    bindings.AddRange(Taken(type).Select(message => (Exchange(message), NameBy(nameof(IEndpointNameFormatter.Saga), type.BaseType!.GetGenericArguments()[0]))));
            }

            var operations = QueuesOf(service).Single(queue => queue.EndsWith("-operations", StringComparison.Ordinal));
            bindings.AddRange(typeof(AssayModule).Assembly.GetTypes().Where(type => type is { IsAbstract: false, IsInterface: false }).SelectMany(Taken).Select(message => (Exchange(message), operations)));
        }

        return bindings;

        static string Exchange(string message) => message.StartsWith("Fault:", StringComparison.Ordinal) ? $"MassTransit:Fault--{message["Fault:".Length..]}--" : message;
    }

    static string NameBy(string method, Type type) => (string)typeof(IEndpointNameFormatter).GetMethod(method)!.MakeGenericMethod(type).Invoke(KebabCaseEndpointNameFormatter.Instance, [])!;

    static SortedSet<string> Taken(Type type)
    {
        var taken = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var message in type.GetInterfaces().Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IConsumer<>)).Select(i => i.GetGenericArguments()[0]))
            taken.Add(NameOf(message));
        if (!type.IsAssignableTo(typeof(StateMachine)))
            return taken;
        foreach (var property in type.GetProperties().Where(property => property.PropertyType is { IsGenericType: true }))
        {
            var definition = property.PropertyType.GetGenericTypeDefinition();
            if (definition == typeof(Event<>))
                taken.Add(NameOf(property.PropertyType.GetGenericArguments()[0]));
            else if (definition == typeof(Schedule<,>))
                taken.Add(NameOf(property.PropertyType.GetGenericArguments()[1]));
        }

        return taken;
    }

    static string NameOf(Type message) => message.IsGenericType && message.GetGenericTypeDefinition() == typeof(Fault<>)
        ? $"Fault:{NameOf(message.GetGenericArguments()[0])}"
        : $"{message.Namespace}:{message.Name}";
}

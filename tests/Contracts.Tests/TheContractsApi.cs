using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Assay.Contracts.Tests;

public sealed class TheContractsApi
{
    [Fact]
    public void Should_be_the_approved_public_api() => Describe(typeof(RequestAudit).Assembly).ShouldBeApprovedAs("Contracts.api.txt");

    [Fact]
    public void Should_be_the_approved_internal_messages() => Describe(typeof(Internal.AssayJson).Assembly).ShouldBeApprovedAs("Contracts.Internal.api.txt");

    [Fact]
    public void Should_hold_sealed_records_with_init_only_properties()
    {
        foreach (var type in typeof(RequestAudit).Assembly.GetExportedTypes().Where(type => !(type.IsAbstract && type.IsSealed)))
        {
            type.IsSealed.ShouldBeTrue(type.Name);
            type.GetMethod("<Clone>$").ShouldNotBeNull($"{type.Name} is a record");
            type.GetProperties().ShouldAllBe(property => property.SetMethod == null || property.SetMethod.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));
        }
    }

    [Fact]
    public void Should_name_the_audit_first_in_every_message()
    {
        foreach (var type in typeof(RequestAudit).Assembly.GetExportedTypes().Where(type => type.GetProperty("AuditId") is not null))
            type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)[0].Name.ShouldBe("AuditId", type.Name);
    }

    [Fact]
    public void Should_carry_audit_and_attempt_in_every_internal_message_about_an_attempt()
    {
        string[] aboutNoAttempt = ["HaltSpending", "ResumeSpending", "SpendingHalted", "SpendingResumed", "GetSpending", "SpendingStatus", "SpendingScope", "InDoubtCall", "GetEngines", "EngineList", "EngineInfo", "GetAnswerTexts", "AnswerTexts", "CompareAudits", "AuditsCompared", "RederiveAudit", "AuditRederived", "GetPartialScores", "PartialScores", "EraseAnswers", "AnswersErased", "IntegrityDifference", "AnalysisFact"];
        var messages = typeof(Internal.AssayJson).Assembly.GetExportedTypes()
            .Where(type => type.GetProperty("AuditId") is not null && !aboutNoAttempt.Contains(type.Name, StringComparer.Ordinal));

        foreach (var type in messages)
            type.GetProperty("Attempt").ShouldNotBeNull(type.Name);
    }

    /// <summary>One line a member, in declaration order: what a diff of the public surface should show.</summary>
    static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(type.FullName).Append('\n');
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
                text.Append("    const ").Append(NameOf(field.FieldType)).Append(' ').Append(field.Name).Append(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "").Append('\n');
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            {
                var required = property.GetCustomAttribute<RequiredMemberAttribute>() is null ? "" : "required ";
                var nullable = new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable && !property.PropertyType.IsValueType ? "?" : "";
                text.Append("    ").Append(required).Append(NameOf(property.PropertyType)).Append(nullable).Append(' ').Append(property.Name).Append('\n');
            }
        }

        return text.ToString();
    }

    static string NameOf(Type type) =>
        Nullable.GetUnderlyingType(type) is { } inner ? NameOf(inner) + "?"
        : type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>"
        : type.Name;
}

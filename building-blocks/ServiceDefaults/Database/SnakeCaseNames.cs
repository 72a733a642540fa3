using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Assay.ServiceDefaults;

static class SnakeCaseNames
{
    /// <summary>Renames tables, columns, keys and indexes to snake_case unless a table was named explicitly; a table is named after its entity, in the singular.</summary>
    public static void UseSnakeCaseNames(this ModelBuilder modelBuilder)
    {
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            // An explicitly chosen table name stands; else the entity's own name, not that of the DbSet.
            if (((IConventionEntityType)entity).GetTableNameConfigurationSource() is not ConfigurationSource.Explicit)
                entity.SetTableName(Of(entity.ClrType.Name));

            foreach (var property in entity.GetProperties())
                if (((IConventionProperty)property).GetColumnNameConfigurationSource() is not ConfigurationSource.Explicit)
                    property.SetColumnName(Of(property.Name));

            foreach (var key in entity.GetKeys())
                key.SetName(Of(key.GetName()!));
            foreach (var key in entity.GetForeignKeys())
                key.SetConstraintName(Of(key.GetConstraintName()!));
            foreach (var index in entity.GetIndexes())
                if (((IConventionIndex)index).GetDatabaseNameConfigurationSource() is not ConfigurationSource.Explicit)
                    index.SetDatabaseName(Of(index.GetDatabaseName()!));
        }
    }

    /// <summary><c>PaidCall</c> → <c>paid_call</c>, <c>SpentMicroUsd</c> → <c>spent_micro_usd</c>, <c>PK_paid_call</c> → <c>pk_paid_call</c>.</summary>
    internal static string Of(string name)
    {
        var result = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (char.IsUpper(c))
            {
                var afterLower = i > 0 && (char.IsLower(name[i - 1]) || char.IsDigit(name[i - 1]));
                var beforeLower = i > 0 && i + 1 < name.Length && char.IsLower(name[i + 1]) && name[i - 1] != '_';
                if (result.Length > 0 && result[^1] != '_' && (afterLower || beforeLower))
                    result.Append('_');
                result.Append(char.ToLowerInvariant(c));
            }
            else
                result.Append(c);
        }

        return result.ToString();
    }
}

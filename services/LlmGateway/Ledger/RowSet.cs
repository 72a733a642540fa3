using System.Globalization;
using System.Text.Json;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// Rows that one statement changes or adds together. A statement for each row costs the database more than the row: it reads the table's
/// CHECKs and prepares the conditions of its indexes anew every time.
/// </summary>
abstract class RowSet
{
    readonly List<(string Name, Array Values)> _columns = [];

    /// <summary>The columns in order, each with one value a row.</summary>
    public IReadOnlyList<(string Name, Array Values)> Columns => _columns;

    protected void Add(string name, Array values) => _columns.Add((name, values));

    /// <summary>Adds a column with the same value in every row.</summary>
    public void WithSame<T>(string name, T value)
    {
        var values = new T[_columns[0].Values.Length];
        Array.Fill(values, value);
        Add(name, values);
    }

    /// <summary>The rows as a JSON array of arrays, with values in the text forms that EF Core writes to SQLite.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            for (var row = 0; row < _columns[0].Values.Length; row++)
            {
                json.WriteStartArray();
                foreach (var (_, values) in _columns)
                    JsonSerializer.Serialize(json, values.GetValue(row) switch
                    {
                        Guid id => id.ToString("D").ToUpperInvariant(),
                        DateTime at => at.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
                        var value => value,
                    });
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}

/// <summary>A row set made of items, column by column.</summary>
sealed class RowSet<TItem>(IReadOnlyCollection<TItem> items) : RowSet
{
    /// <summary>Adds a column. Its name must not be one of the table that the statement is about.</summary>
    public RowSet<TItem> With<T>(string name, Func<TItem, T> value)
    {
        var values = new T[items.Count];
        var row = 0;
        foreach (var item in items)
            values[row++] = value(item);
        Add(name, values);
        return this;
    }
}

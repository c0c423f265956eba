import Postgres
internal import TestSupport
import Testing

@Suite struct ValueTests {
    @Test func `scalars come back as they went`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9",
            parameters {
                $0.append("naïve 🦊 ‮")
                $0.append(Int64.min)
                $0.append(true)
                $0.append(-0.1)
                $0.append(jsonb: #"{"a":[1,"é"]}"#)
                $0.append(bytes: [0, 255, 10])
                $0.append(timestamp: Timestamp(microsecondsSince1970: 1))
                $0.append(Int32(-7))
                $0.append("")
            })
        #expect(rows.count == 1 && rows.columnCount == 9)
        #expect(rows.text(0, 0) == "naïve 🦊 ‮")
        #expect(rows.int(0, 1) == .min)
        #expect(rows.bool(0, 2))
        #expect(rows.double(0, 3) == -0.1)
        #expect(rows.text(0, 4) == #"{"a": [1, "é"]}"#)
        #expect(rows.bytes(0, 5) == [0, 255, 10])
        #expect(rows.timestamp(0, 6).microsecondsSince1970 == 1)
        #expect(rows.int(0, 7) == -7)
        #expect(rows.optionalText(0, 8) == "")
    }

    @Test func `NULL of every type comes back as nil`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8",
            parameters {
                $0.append(String?.none)
                $0.append(Int64?.none)
                $0.append(Bool?.none)
                $0.append(Double?.none)
                $0.append(jsonb: String?.none)
                $0.append(bytes: nil)
                $0.append(timestamp: nil)
                $0.append(Int32?.none)
            })
        for column in 0..<8 { #expect(rows.isNull(0, column)) }
        #expect(rows.optionalText(0, 0) == nil && rows.optionalInt(0, 1) == nil && rows.optionalBool(0, 2) == nil)
        #expect(rows.optionalDouble(0, 3) == nil && rows.optionalBytes(0, 5) == nil && rows.optionalTimestamp(0, 6) == nil)
        rows.withBytes(0, 0) { #expect($0 == nil) }
    }

    @Test func `arrays come back with their NULLs, and empty ones stay empty`() async throws {
        var connection = try await connect()
        var texts = BinaryArray(.text)
        texts.append("a\"b,{}")
        texts.appendNull()
        texts.append("")
        var empty = BinaryArray(.int8)
        empty.append(1)
        empty.removeAll()
        let rows = try connection.query(
            "SELECT $1, $2, cardinality($2), $3, $4",
            parameters {
                $0.append(texts)
                $0.append(empty)
                $0.append(["x", "y"])
                $0.append([Int64.max, -1])
            })
        #expect(rows.optionalTexts(0, 0) == ["a\"b,{}", nil, ""])
        #expect(rows.ints(0, 1) == [])
        #expect(rows.int(0, 2) == 0)
        #expect(rows.texts(0, 3) == ["x", "y"])
        #expect(rows.ints(0, 4) == [.max, -1])
    }

    @Test func `arrays of every element type unnest side by side`() async throws {
        var connection = try await connect()
        var (int4, bool, float8) = (BinaryArray(.int4), BinaryArray(.bool), BinaryArray(.float8))
        var (time, jsonb, bytea, uuid) = (
            BinaryArray(.timestamptz), BinaryArray(.jsonb), BinaryArray(.bytea), BinaryArray(.uuid)
        )
        for number in 1...3 as ClosedRange<UInt8> {
            int4.append(Int64(number))
            bool.append(number == 2)
            float8.append(Double(number) / 3)
            time.append(Timestamp(seconds: Int64(number)))
            jsonb.append("{\"n\":\(number)}")
            withUnsafeBytes(of: number) { bytea.append(text: $0) }
            [UInt8](repeating: number * 16, count: 16).withUnsafeBytes { uuid.append(text: $0) }
        }
        let rows = try connection.query(
            "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) AS row (a, b, c, d, e, f, g)",
            parameters { parameters in
                for array in [int4, bool, float8, time, jsonb, bytea, uuid] { parameters.append(array) }
            })
        #expect(rows.count == 3 && rows.affected == 3)
        #expect(rows.columnNames == ["a", "b", "c", "d", "e", "f", "g"])
        #expect(rows.int(1, 0) == 2 && rows.bool(1, 1) && !rows.bool(2, 1))
        #expect(rows.double(2, 2) == 1.0)
        #expect(rows.timestamp(2, 3) == Timestamp(seconds: 3))
        #expect(rows.text(0, 4) == #"{"n": 1}"#)
        #expect(rows.bytes(2, 5) == [3])
        #expect(rows.text(0, 6) == "10101010-1010-1010-1010-101010101010")
    }

    @Test func `an element written in pieces is one text, and a bad row is taken back`() async throws {
        var connection = try await connect()
        var texts = BinaryArray(.text)
        texts.append("first")
        let mark = texts.mark
        texts.appendNull()
        texts.beginElement()
        texts.appendPart(UInt8(ascii: "?"))
        texts.rewind(to: mark)
        texts.beginElement()
        Array("line".utf8).withUnsafeBytes { texts.appendPart($0) }
        texts.appendPart(UInt8(ascii: "\n"))
        texts.endElement()
        #expect(texts.count == 2)
        let rows = try connection.query("SELECT $1", parameters { $0.append(texts) })
        #expect(rows.texts(0, 0) == ["first", "line\n"])
    }

    @Test func `timestamps keep infinity, microseconds and the years before 2000`() async throws {
        var connection = try await connect()
        let moments = [
            Timestamp.distantPast, .distantFuture, Timestamp(microsecondsSince1970: -1),
            Timestamp(microsecondsSince1970: 1_795_395_600_123_456),
        ]
        let rows = try connection.query(
            "SELECT at, at::text FROM unnest($1) AS at", parameters { $0.append(timestamps: moments) })
        #expect((0..<4).map { rows.timestamp($0, 0) } == moments)
        #expect(rows.text(0, 1) == "-infinity" && rows.text(1, 1) == "infinity")
        #expect(rows.text(2, 1) == "1969-12-31 23:59:59.999999+00")
        let other = try connection.query("SELECT 'infinity'::date, '1999-12-31'::date, '0044-03-15 BC'::timestamptz")
        #expect(other.timestamp(0, 0) == .distantFuture)
        #expect(other.timestamp(0, 1).rfc3339 == "1999-12-31T00:00:00.000Z")
        #expect(other.timestamp(0, 2).rfc3339.hasSuffix("-03-15T00:00:00.000Z"))
    }

    @Test func `numerics, floats and small integers are read as numbers`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            """
            SELECT sum(n), -20000::numeric, 0.0001::numeric, 12345678.75::numeric, 'NaN'::numeric, 1.5::float4, 3::int2, 9::oid,
                   0::numeric, '-9223372036854775808'::numeric
            FROM unnest(ARRAY[9000000000000000000, 1]) AS n
            """)
        #expect(rows.int(0, 0) == 9_000_000_000_000_000_001)
        #expect(rows.int(0, 1) == -20_000 && rows.double(0, 1) == -20_000)
        #expect(rows.double(0, 2) == 0.0001)
        #expect(rows.double(0, 3) == 12_345_678.75)
        #expect(rows.double(0, 4).isNaN)
        #expect(rows.double(0, 5) == 1.5 && rows.int(0, 6) == 3 && rows.int(0, 7) == 9 && rows.text(0, 6) == "3")
        #expect(rows.int(0, 8) == 0 && rows.int(0, 9) == .min)
    }
}

@Suite struct TimestampTextTests {
    @Test(arguments: [
        ("2026-11-23T01:00:00Z", "2026-11-23T01:00:00.000Z"),
        ("2026-11-23t01:00:00.5z", "2026-11-23T01:00:00.500Z"),
        ("2026-11-23T01:00:00.1234567+01:30", "2026-11-22T23:30:00.123456Z"),
        ("2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999-00:00", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ])
    func `RFC 3339 is read and written`(text: String, expected: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == expected)
    }

    @Test(arguments: [
        "", "2026-11-23", "2026-11-23T01:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T01:00:00.Z", "2026-11-23T01:00:00.5", "2026-11-23T01:00:00+0100", "2026-11-23T01:00:00Zx",
        "+026-11-23T01:00:00Z",
    ])
    func `what is no RFC 3339 is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
